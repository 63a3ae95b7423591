from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from diffdope.errors import DiffDopeError
from diffdope.geometry.camera import Camera
from diffdope.geometry.crop import CropWindow
from diffdope.io.cameras import load_camera
from diffdope.note_codes import NoteCode, code_of, codes_of
from diffdope.scene.image_checks import notes_on_camera
from diffdope.scene.observation import Observation

CAMERA = Camera(50, 50, 3.5, 2.5, 8, 6)
RGB = np.random.default_rng(0).integers(0, 256, (6, 8, 3)).astype(np.uint8)
DEPTH = np.random.default_rng(1).uniform(0.5, 1.0, (6, 8))
MASK = np.zeros((6, 8), bool)
MASK[2:4, 3:6] = True


def stored(observation: Observation, name: str) -> NDArray[np.float32]:
    value = getattr(observation, name)
    assert isinstance(value, np.ndarray) and value.dtype == np.float32
    return value


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (RGB, RGB / 255),
        (RGB.astype(np.uint16) * 257, RGB / 255),
        (RGB / 255, RGB / 255),
        ((RGB / 255).astype(np.float32), RGB / 255),
        ((RGB / 255).astype(np.float16), RGB / 255),
        (RGB[..., 0], np.repeat(RGB[..., :1], 3, 2) / 255),
        (np.zeros((6, 8, 3)), np.zeros((6, 8, 3))),
    ],
)
def test_rgb(given: Any, wanted: Any) -> None:
    observation = Observation(CAMERA, rgb=given)
    np.testing.assert_allclose(stored(observation, "rgb"), wanted, atol=3e-4 if given.dtype == np.float16 else 1e-7)
    assert observation.modalities == ("rgb",)
    assert observation.depth is None and observation.mask is None


@pytest.mark.parametrize(
    ("given", "scale", "wanted"),
    [
        (DEPTH, None, DEPTH),
        (DEPTH.astype(np.float32), None, DEPTH),
        ((DEPTH * 1e4).astype(np.uint16), 1e-4, (DEPTH * 1e4).astype(int) / 1e4),
        ((DEPTH * 1e3).astype(np.int32), 1e-3, (DEPTH * 1e3).astype(int) / 1e3),
        (DEPTH * 1000, 1e-3, DEPTH),
        (np.where(MASK, 0, DEPTH), None, np.where(MASK, 0, DEPTH)),
    ],
)
def test_depth(given: Any, scale: float | None, wanted: Any) -> None:
    observation = Observation(CAMERA, depth=given, depth_scale=scale)
    np.testing.assert_allclose(stored(observation, "depth"), wanted, rtol=1e-6)
    assert observation.modalities == ("depth",)


@pytest.mark.parametrize("given", [MASK, MASK * np.uint8(255), MASK * np.uint8(1), MASK * np.int64(7), MASK * 1.0])
def test_mask(given: Any) -> None:
    np.testing.assert_array_equal(stored(Observation(CAMERA, mask=given), "mask"), MASK)


def test_soft_mask_is_kept() -> None:
    soft = np.linspace(0, 1, 48).reshape(6, 8)
    np.testing.assert_allclose(stored(Observation(CAMERA, mask=soft), "mask"), soft, atol=1e-7)


def test_all_three_and_repr() -> None:
    observation = Observation(CAMERA, rgb=RGB, depth=DEPTH, mask=MASK)
    assert observation.modalities == ("rgb", "depth", "mask")
    assert repr(observation) == "Observation(8 x 6, rgb + depth + mask)"


def holed(value: float) -> NDArray[np.float64]:
    depth = DEPTH.copy()
    depth[0, 0] = value
    return depth


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ({}, "observation: expected at least one of rgb, depth and mask"),
        (
            {"rgb": RGB.transpose(1, 0, 2)},
            r"rgb: expected shape \(6, 8, 3\), got \(8, 6, 3\); width and height are swapped",
        ),
        ({"depth": DEPTH.T}, r"depth: expected shape \(6, 8\), got \(8, 6\); width and height are swapped"),
        (
            {"depth": DEPTH[:3]},
            r"depth: expected shape \(6, 8\), got \(3, 8\); images must have the camera's",
        ),
        (
            {"depth": np.stack([DEPTH] * 2)},
            r"depth: expected shape \(6, 8\), got \(2, 6, 8\); give one image, not a batch",
        ),
        ({"rgb": RGB.transpose(2, 0, 1)}, r"got \(3, 6, 8\); transpose the axes \(1, 2, 0\)"),
        (
            {"rgb": np.concatenate([RGB, RGB[..., :1]], 2)},
            r"got \(6, 8, 4\); drop the alpha channel: rgb\[..., :3\]",
        ),
        ({"rgb": RGB[..., :2]}, r"rgb: expected shape \(6, 8, 3\), got \(6, 8, 2\)"),
        (
            {"rgb": RGB.astype(float)},
            r"rgb: expected floats in \[0, 1\], got 0 to 255; divide by 255, or give uint8",
        ),
        ({"rgb": RGB / 255 - 0.5}, "undo the normalisation"),
        ({"rgb": (RGB / 255 - 0.45) / 0.22}, "undo the normalisation"),
        ({"depth": np.full_like(DEPTH, 7.5e5)}, "numbers up to 7.5e[+]05, all of which mean missing"),
        ({"rgb": RGB.astype(np.int64)}, "rgb: expected uint8, uint16 or float"),
        ({"rgb": np.full((6, 8, 3), np.nan)}, "rgb: expected finite numbers"),
        (
            {"depth": (DEPTH * 1000).astype(np.uint16)},
            "depth_scale: expected a number for depth of type uint16, got None",
        ),
        ({"depth": np.full((6, 8), np.nan)}, r"depth: expected some pixels with depth, got 0 \(missing\) everywhere"),
        ({"depth": np.dstack([DEPTH, 0 * DEPTH, DEPTH])}, "it is colourised: distances cannot be read from it"),
        ({"depth": holed(-0.1)}, "depth: expected no negative numbers, got -0.1"),
        ({"depth": 0 * DEPTH}, r"depth: expected some pixels with depth, got 0 \(missing\) everywhere"),
        ({"depth": 1000 * DEPTH}, "it looks like millimetres"),
        ({"depth": np.rint(100 * DEPTH)}, "a median of 0.005 to 20.0 m.* it looks like centimetres.* set what is far"),
        ({"depth": 1000 * DEPTH + 0.25}, "a median of 0.005 to 200.0 m"),
        (
            {"depth": (1000 * DEPTH).astype(int), "depth_scale": 1},
            "m with depth_scale 1; it looks like millimetres",
        ),
        ({"depth": DEPTH, "depth_scale": 1e-3}, "it looks scaled twice"),
        (
            {"depth": (1000 * DEPTH).astype(int), "depth_scale": 1e-6},
            "with depth_scale 1e-06; it looks like millimetres: depth_scale is METRES per unit, 0.001",
        ),
        ({"depth": DEPTH, "depth_scale": 0}, "depth_scale: expected a positive number"),
        ({"depth": DEPTH[..., None]}, r"got \(6, 8, 1\); take one channel: depth\[..., 0\]"),
        ({"depth": DEPTH > 0.7}, "depth: expected float metres or integers"),
        ({"mask": np.zeros((6, 8))}, "mask: expected some pixels on the object, got an empty mask"),
        ({"mask": MASK * 255.0}, r"mask: expected floats in \[0, 1\], got 0 to 255; divide by 255"),
        ({"mask": np.repeat(MASK[..., None], 3, 2)}, r"take one channel: mask\[..., 0\]"),
        ({"mask": MASK[:, :4]}, r"mask: expected shape \(6, 8\), got \(6, 4\)"),
        ({"mask": MASK.astype(str)}, "mask: expected bool, integers or float"),
    ],
)
def test_what_is_no_observation_is_refused(images: dict[str, Any], message: str) -> None:
    with pytest.raises(DiffDopeError, match=message):
        Observation(CAMERA, **images)


@pytest.mark.parametrize(
    ("depth", "doubted"),
    [(60 * DEPTH + 0.25, True), (DEPTH, False), (19 * DEPTH / DEPTH.max(), False)],
)
def test_distances_that_few_cameras_see_get_a_note_of_the_unit(depth: np.ndarray, doubted: bool) -> None:
    notes = Observation(CAMERA, depth=depth).notes
    middle = float(np.median(depth))
    said = f"depth has a median of {middle:.4g} m: if that looks like millimetres, depth_scale is METRES per unit"
    assert notes == ((f"{said}, 0.001 for millimetres",) if doubted else ())
    whole = Observation(CAMERA, depth=np.rint(1e3 * depth).astype(np.int32), depth_scale=1e-3)
    assert whole.notes == (), "the scale was said"


def test_is_immutable_and_copies() -> None:
    rgb = (RGB / 255).astype(np.float32)
    observation = Observation(CAMERA, rgb=rgb)
    rgb[:] = 0
    assert stored(observation, "rgb").max() > 0
    with pytest.raises(ValueError, match="read-only"):
        stored(observation, "rgb")[0] = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        observation.rgb = None  # type: ignore[misc]


def test_pickles_and_copies() -> None:
    observation = Observation(CAMERA, rgb=RGB, mask=MASK)
    for twin in (pickle.loads(pickle.dumps(observation)), copy.deepcopy(observation)):
        assert twin.camera == CAMERA and twin.depth is None
        np.testing.assert_array_equal(twin.rgb, observation.rgb)


# ---------------- files


def test_load(tmp_path: Path) -> None:
    millimetres = (DEPTH * 1000).astype(np.uint16)
    Image.fromarray(RGB).save(tmp_path / "rgb.png")
    Image.fromarray(millimetres).save(tmp_path / "depth.png")
    Image.fromarray(MASK * np.uint8(255)).save(tmp_path / "mask.png")
    paths = {name: tmp_path / f"{name}.png" for name in ("rgb", "depth", "mask")}
    loaded = Observation.load(CAMERA, **paths, depth_scale=1e-3)
    given = Observation(CAMERA, rgb=RGB, depth=millimetres, mask=MASK, depth_scale=1e-3)
    for name in paths:
        np.testing.assert_array_equal(stored(loaded, name), stored(given, name))


def test_load_grey(tmp_path: Path) -> None:
    Image.fromarray(RGB[..., 0]).save(tmp_path / "grey.png")
    loaded = Observation.load(CAMERA, rgb=str(tmp_path / "grey.png"))
    np.testing.assert_allclose(stored(loaded, "rgb"), np.repeat(RGB[..., :1], 3, 2) / 255, atol=1e-7)


def test_load_names_what_is_wrong(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "rgb.png")
    with pytest.raises(DiffDopeError, match=r"depth: expected shape \(6, 8\), got \(6, 8, 3\)"):
        Observation.load(CAMERA, depth=tmp_path / "rgb.png", depth_scale=1e-3)
    with pytest.raises(DiffDopeError, match=r"mask: expected an image file, but there is none"):
        Observation.load(CAMERA, mask=tmp_path / "mask.png")
    with pytest.raises(DiffDopeError, match="at least one"):
        Observation.load(CAMERA)
    with pytest.raises(DiffDopeError, match="at least one"):
        Observation.load(tmp_path / "camera.json")
    with pytest.raises(DiffDopeError, match=r"camera: .* a Camera or the path of its file, got dict"):
        Observation.load({"cam_K": [1]}, rgb=tmp_path / "rgb.png")  # type: ignore[arg-type]
    with pytest.raises(DiffDopeError, match="camera: cannot read .* No such file"):
        Observation.load(tmp_path / "camera.json", rgb=tmp_path / "rgb.png")


def test_load_takes_the_file_of_the_camera(tmp_path: Path) -> None:
    """Size from the images, and the file's depth_scale, millimetres, for integers; what is given in metres wins."""
    entry = {"cam_K": CAMERA.K.ravel().tolist(), "depth_scale": 0.1}
    path = tmp_path / "scene_camera.json"
    path.write_text(json.dumps({"3": entry, "5": {**entry, "depth_scale": 1.0}, "7": {"cam_K": entry["cam_K"]}}))
    stored_mm = np.full(MASK.shape, 5000, np.uint16)
    Image.fromarray(RGB).save(tmp_path / "rgb.png")
    Image.fromarray(stored_mm).save(tmp_path / "depth.png")
    Image.fromarray(255 * (MASK > 0.5).astype(np.uint8)).save(tmp_path / "mask.png")
    np.save(tmp_path / "metres.npy", np.full(MASK.shape, 0.5, np.float32))
    for image_id, metres in ((3, 0.5), (5, 5.0)):
        read = Observation.load(path, depth=tmp_path / "depth.png", image_id=image_id)
        assert read.camera == CAMERA and np.allclose(stored(read, "depth"), metres)
    read = Observation.load(path, depth=tmp_path / "depth.png", depth_scale=1e-3, image_id=3)
    assert np.allclose(stored(read, "depth"), 5.0)
    read = Observation.load(str(path), depth=tmp_path / "metres.npy", image_id=3)
    assert np.allclose(stored(read, "depth"), 0.5)
    for name in ("rgb", "mask"):
        assert Observation.load(path, **{name: tmp_path / f"{name}.png"}, image_id=3).camera == CAMERA
    with pytest.raises(DiffDopeError, match=r"depth_scale: expected a number .*metres per unit: 0.001"):
        Observation.load(path, depth=tmp_path / "depth.png", image_id=7)
    with pytest.raises(DiffDopeError, match=r"image_id"):
        Observation.load(path, depth=tmp_path / "depth.png")


def test_real_frame(shared_data: Path) -> None:
    scene = shared_data / "sim" / "dev" / "000001"
    camera, scale = load_camera(scene / "scene_camera.json", width=640, height=480, image_id=0)
    assert scale is not None
    observation = Observation.load(
        camera,
        rgb=next((scene / "rgb").glob("000000.*")),
        depth=scene / "depth" / "000000.png",
        mask=next((scene / "mask_visib").glob("000000_*.png")),
        depth_scale=scale * 1e-3,
    )
    assert observation.modalities == ("rgb", "depth", "mask")
    depth = stored(observation, "depth")
    assert 0.3 < np.median(depth[depth > 0]) < 3


# ---------------- crops


def test_crop_without_reduction_is_a_slice() -> None:
    observation = Observation(CAMERA, rgb=RGB, depth=DEPTH, mask=MASK)
    window = CropWindow(2, 1, 4, 3, 1)
    crop = observation.crop(window)
    assert crop.camera == window.camera(CAMERA)
    for name in ("rgb", "depth", "mask"):
        np.testing.assert_array_equal(stored(crop, name), stored(observation, name)[1:4, 2:6])


def test_crop_averages_blocks() -> None:
    observation = Observation(CAMERA, rgb=RGB, mask=MASK)
    crop = observation.crop(CropWindow(2, 0, 6, 6, 3))
    for name, full in (("rgb", RGB / 255), ("mask", MASK * 1.0)):
        wanted = [[full[3 * i : 3 * i + 3, 2 + 3 * j : 5 + 3 * j].mean(axis=(0, 1)) for j in (0, 1)] for i in (0, 1)]
        np.testing.assert_allclose(stored(crop, name), wanted, atol=1e-6)
    assert crop.modalities == ("rgb", "mask")


def reduced(block: list[list[float]]) -> float:
    """What becomes of one block of depth."""
    k = len(block)
    depth = np.ones((6, 8))
    depth[:k, :k] = block
    return float(stored(Observation(CAMERA, depth=depth).crop(CropWindow(0, 0, 2 * k, k, k)), "depth")[0, 0])


@pytest.mark.parametrize(
    ("block", "wanted"),
    [
        ([[0.70, 0.71], [0.70, 0.71]], 0.705),
        ([[0.70, 0.70], [0.70, 1.50]], 0.70),  # a background pixel does not pull
        ([[0.70, 0.70], [1.50, 1.50]], 0.70),  # nor does an even split invent a depth between
        ([[0.70, 0.71], [0.00, 0.00]], 0.705),  # half of them are enough
        ([[0.70, 0.72], [0.00, 0.00]], 0.70),  # 0.72 is beyond 2 %
        ([[0.70, 0.00], [0.00, 0.00]], 0.0),
        ([[0.00, 0.00], [0.00, 0.00]], 0.0),
        ([[0.7, 0.0, 0.7], [0.0, 0.7, 0.0], [0.7, 0.0, 0.0]], 0.0),  # 4 of 9
        ([[0.7, 0.0, 0.7], [0.0, 0.7, 0.0], [0.7, 0.0, 0.7]], 0.7),  # 5 of 9
        ([[0.7, 0.7, 0.7], [1.4, 1.4, 1.4], [1.4, 1.4, 0.7]], 1.4),  # the majority
    ],
)
def test_depth_of_a_block(block: list[list[float]], wanted: float) -> None:
    assert reduced(block) == pytest.approx(wanted, abs=1e-6)


def test_a_crop_may_be_empty() -> None:
    depth = DEPTH.copy()
    depth[:, :4] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        crop = Observation(CAMERA, depth=depth, mask=MASK).crop(CropWindow(0, 0, 2, 2, 2))
    assert stored(crop, "depth").tolist() == [[0]] and stored(crop, "mask").tolist() == [[0]]


def test_crop_of_a_crop_is_the_crop() -> None:
    observation = Observation(CAMERA, rgb=RGB, mask=MASK)
    twice = observation.crop(CropWindow(2, 1, 6, 5, 1)).crop(CropWindow(1, 1, 4, 4, 2))
    once = observation.crop(CropWindow(3, 2, 4, 4, 2))
    np.testing.assert_array_equal(stored(twice, "rgb"), stored(once, "rgb"))
    np.testing.assert_allclose(twice.camera.K, once.camera.K)


def test_crop_must_be_inside() -> None:
    with pytest.raises(DiffDopeError, match="window: expected a rectangle inside the 8 x 6 image"):
        Observation(CAMERA, mask=MASK).crop(CropWindow(4, 0, 6, 6))


def test_crop_sees_what_the_full_image_sees() -> None:
    # A ramp in u: after the crop, a point's colour at its new pixel is the ramp at its old one.
    camera = Camera(50, 50, 31.5, 23.5, 64, 48)
    ramp = np.tile((np.arange(64) / 63)[None, :, None], (48, 1, 3))
    crop = Observation(camera, rgb=ramp).crop(CropWindow(8, 8, 40, 32, 4))
    u, _ = camera.project([0.05, 0.0, 0.5])
    crop_u, _ = crop.camera.project([0.05, 0.0, 0.5])
    row = stored(crop, "rgb")[4, :, 0]
    assert np.interp(crop_u, np.arange(10), row) == pytest.approx(u / 63, abs=1e-6)


def test_the_box_of_a_mask_is_where_it_is_not_zero() -> None:
    camera = Camera(100.0, 100.0, 15.5, 11.5, 32, 24)
    mask = np.zeros((24, 32), np.float32)
    assert Observation(camera, depth=mask + 1.0).mask_box is None
    mask[5:9, 7:20] = 0.2
    mask[20, 3] = 1.0
    assert Observation(camera, mask=mask).mask_box == (3.0, 5.0, 19.0, 20.0)
    assert Observation(camera, mask=mask).with_mask(mask > 0.5).mask_box == (3.0, 20.0, 3.0, 20.0)


KINDS = (np.uint8, np.uint16, np.float32, np.float64)


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name in ("rgb", "depth", "mask") for kind in KINDS] + [("mask", np.bool_)]
)
def test_what_was_given_stays_its_owners(name: str, kind: type) -> None:
    """He may write to it, which changes nothing in the observation."""
    given = np.zeros((6, 8, 3) if name == "rgb" else (6, 8), kind)
    given[2:4, 2:5] = 1
    scale = 1.0 if name == "depth" and np.issubdtype(kind, np.integer) else None
    observation = Observation(CAMERA, **{name: given}, depth_scale=scale)  # type: ignore[arg-type]
    before = getattr(observation, name).copy()
    given[...] = 0
    assert before.any() and np.array_equal(getattr(observation, name), before)


@pytest.mark.parametrize("missing", [np.nan, np.inf, 1e10, 65504.0])
def test_what_stands_for_missing_depth_is_missing(missing: float) -> None:
    depth = Observation(CAMERA, depth=holed(missing)).depth
    assert depth is not None
    assert np.array_equal(depth, holed(0.0).astype(np.float32))


@pytest.mark.parametrize("kind", [np.float32, np.uint16])
def test_masked_depth_is_missing(kind: type) -> None:
    """What numpy.ma masks is still there behind the mask."""
    numbers = (1000 * DEPTH).astype(kind)
    depth = Observation(CAMERA, depth=np.ma.masked_greater(numbers, 700), depth_scale=1e-3).depth
    assert depth is not None
    assert (numbers > 700).any() and np.array_equal(depth == 0, numbers > 700)


def test_other_masked_images_are_refused_and_masks_of_nothing_pass() -> None:
    grey = np.ma.masked_less(np.arange(48, dtype=np.uint8).reshape(6, 8), 8)
    with pytest.raises(DiffDopeError, match=r"rgb: expected an array of numbers, got one of which 8 are masked"):
        Observation(CAMERA, rgb=grey)
    whole = np.ma.masked_less(np.full((6, 8), 9, np.uint8), 8)
    assert Observation(CAMERA, rgb=whole).rgb is not None


def test_the_highest_number_of_16_bits_is_missing_depth() -> None:
    words = (1000 * DEPTH).astype(np.uint16)
    words[0, 0] = 65535
    depth = Observation(CAMERA, depth=words, depth_scale=1e-3).depth
    assert depth is not None
    assert depth[0, 0] == 0 and (depth.ravel()[1:] > 0).all()


def test_metres_of_a_large_object_far_away_are_no_millimetres() -> None:
    seen = Observation(CAMERA, depth=30.0 * DEPTH)
    assert seen.depth is not None and seen.depth.max() > 20.0
    scaled = Observation(CAMERA, depth=np.rint(3000.0 * DEPTH).astype(np.uint16), depth_scale=0.01)
    assert scaled.depth is not None and scaled.depth.max() > 20.0


@pytest.mark.parametrize(("white", "told"), [(65535, ""), (4095, "12 bits"), (255, "8 bits")])
def test_pictures_of_fewer_bits_in_uint16_have_their_own_white(white: int, told: str) -> None:
    brightness = np.linspace(0, 1, CAMERA.width * CAMERA.height).reshape(CAMERA.height, CAMERA.width)
    seen = Observation(CAMERA, rgb=np.rint(white * brightness).astype(np.uint16))
    assert seen.rgb is not None
    assert np.abs(seen.rgb[..., 0] - brightness).max() <= 0.5 / white + 1e-6
    assert [code_of(note) for note in seen.notes] == ([NoteCode.RGB_BITS] if told else [])
    assert told in "".join(seen.notes)


def test_one_bright_pixel_tells_that_all_16_bits_are_used() -> None:
    words = np.full((CAMERA.height, CAMERA.width, 3), 200, np.uint16)
    words[3, 5, 1] = 5000
    seen = Observation(CAMERA, rgb=words)
    assert seen.rgb is not None and not seen.notes
    assert seen.rgb.max() == pytest.approx(5000 / 65535)


def test_grey_with_an_axis_too_many_is_told_which_to_take() -> None:
    with pytest.raises(DiffDopeError, match=r"give grey as \(H, W\): rgb\[\.\.\., 0\]"):
        Observation(CAMERA, rgb=np.zeros((CAMERA.height, CAMERA.width, 1), np.uint8))


@pytest.mark.parametrize(
    ("camera", "told"),
    [
        (Camera(1200.0, 1204.0, 641.0, 478.0, 1280, 960), False),
        (Camera(1200.0, 1204.0, 641.0, 478.0, 1080, 800), True),  # cropped by (200, 160), and K was not
        (Camera(1200.0, 1204.0, 441.0, 318.0, 1080, 800), True),  # and K was: of a camera, nobody knows
        (Camera(1200.0, 1204.0, 641.0, 478.0, 1280, 960).crop(0, 0, 640, 480), False),
        (Camera(1200.0, 1204.0, 641.0, 478.0, 1280, 960).crop(0, 0, 640, 480).resize(320, 240), False),
        (Camera(1204.0, 1200.0, 478.0, 641.0, 1280, 960), True),  # exchanged
    ],
)
def test_a_principal_point_far_off_the_middle_is_told(camera: Camera, told: bool) -> None:
    observation = Observation(camera, rgb=np.zeros((camera.height, camera.width, 3), np.uint8))
    assert (NoteCode.CAMERA_OFF_CENTRE in codes_of(observation.notes)) is told
    part = observation.crop(CropWindow(0, 0, 32, 24, 2))
    assert part.notes == observation.notes and not Observation(part.camera, rgb=part.rgb).notes


def test_no_camera_of_the_real_sets_has_its_principal_point_off_the_middle(shared_data: Path) -> None:
    files = sorted(shared_data.rglob("camera.json"))
    assert len(files) > 5
    for file in files:
        camera, _ = load_camera(file)
        assert not notes_on_camera(camera), file
