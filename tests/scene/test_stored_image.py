"""Crops made straight from the numbers that were given, against their definition in numpy."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.geometry.camera import Camera
from diffdope.geometry.crop import CropWindow
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example
from diffdope.scene.stored_image import StoredImage, rows_apart

HEIGHT, WIDTH = 45, 64
CAMERA = Camera(60.0, 60.0, 31.5, 22.0, WIDTH, HEIGHT)
RNG = np.random.default_rng(5)
BYTES = RNG.integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
WORDS = RNG.integers(0, 65536, (HEIGHT, WIDTH, 3)).astype(np.uint16)
DEPTH = RNG.integers(5000, 9000, (HEIGHT, WIDTH)).astype(np.uint16)
DEPTH[RNG.random(DEPTH.shape) < 0.3] = 0
MASK = RNG.random((HEIGHT, WIDTH)) < 0.4
WINDOWS = [CropWindow(3, 2, 60, 40, k) for k in (1, 2, 4, 5, 10, 20)]


def block_means(image: NDArray[Any], window: CropWindow) -> NDArray[np.float64]:
    k, (width, height) = window.reduction, window.size
    inside = np.asarray(image, np.float64)[window.y0 : window.y0 + window.height, window.x0 : window.x0 + window.width]
    means: NDArray[np.float64] = inside.reshape(height, k, width, k, *image.shape[2:]).mean(axis=(1, 3))
    return means


def block_depths(depth_m: NDArray[np.float64], window: CropWindow) -> NDArray[np.float64]:
    k, (width, height) = window.reduction, window.size
    result = np.zeros((height, width))
    for row, column in np.ndindex(height, width):
        y, x = window.y0 + row * k, window.x0 + column * k
        there = np.sort(depth_m[y : y + k, x : x + k].ravel())
        there = there[there > 0]
        if 2 * len(there) >= k * k:
            middle = there[(len(there) - 1) // 2]
            result[row, column] = there[np.abs(there - middle) <= 0.02 * middle].mean()
    return result


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize(
    ("given", "colors"),
    [
        (BYTES, BYTES / 255),
        (BYTES[..., ::-1], BYTES[..., ::-1] / 255),
        (BYTES.transpose(1, 0, 2).copy().transpose(1, 0, 2), BYTES / 255),
        (np.repeat(BYTES, 2, axis=1)[:, ::2], BYTES / 255),
        (BYTES[..., 1], np.repeat(BYTES[..., 1:2], 3, axis=2) / 255),
        (WORDS, WORDS / 65535),
        (WORDS.astype(">u2"), WORDS / 65535),
        (WORDS[..., ::-1] / np.float32(65535), WORDS[..., ::-1] / 65535),
        ((BYTES / 255).astype(">f4"), BYTES / 255),
    ],
    ids=[
        "bytes",
        "BGR",
        "columns first",
        "strided",
        "grey",
        "words",
        "big-endian words",
        "floats",
        "big-endian floats",
    ],
)
def test_colours_of_any_kind_are_averaged(given: NDArray[Any], colors: NDArray[Any], window: CropWindow) -> None:
    observation = Observation(CAMERA, rgb=given)
    crop = observation.crop(window).rgb
    assert crop is not None and observation.rgb is not None
    assert crop.dtype == np.float32 and crop.flags.c_contiguous and not crop.flags.writeable
    np.testing.assert_allclose(crop, block_means(colors, window), rtol=2e-6, atol=1e-7)
    np.testing.assert_allclose(observation.rgb, colors, rtol=1e-6, atol=1e-7)
    assert observation.rgb is observation.rgb and not observation.rgb.flags.writeable


@pytest.mark.parametrize("window", WINDOWS[1:])
@pytest.mark.parametrize(("given", "unit"), [(BYTES, 1 / 255), (WORDS, 1 / 65535)], ids=["bytes", "words"])
def test_sums_of_bytes_and_words_are_whole_numbers(given: NDArray[Any], unit: float, window: CropWindow) -> None:
    """So a mean is rounded twice, where it is multiplied, however many pixels a block has."""
    count = window.reduction**2
    sums = np.round(count * block_means(given, window)).astype(np.float32)
    crop = Observation(CAMERA, rgb=given).crop(window).rgb
    exact = sums < 2**24
    assert crop is not None and exact.any()
    assert np.array_equal(crop[exact], (sums * np.float32(unit / count))[exact])


@pytest.mark.parametrize("k", [3, 4])
def test_depth_with_single_holes_is_that_of_what_is_there(k: int) -> None:
    """Of blocks with holes, samples are counted, whatever the others lack."""
    depth = np.linspace(0.5, 0.505, 12 * 24).reshape(12, 24).astype(np.float32)
    depth[::3, 1::3] = 0.0
    depth[:, :k] = 0.0  # nothing at all
    depth[:, -k:] = np.where(np.arange(12 * k).reshape(12, k) % 3 == 0, 0.5, 0.0)  # less than half
    window = CropWindow(0, 0, 24, 12, k)
    crop = Observation(Camera(20.0, 20.0, 11.5, 5.5, 24, 12), depth=depth).crop(window).depth
    assert crop is not None
    np.testing.assert_allclose(crop, block_depths(depth.astype(float), window), rtol=1e-6)
    assert not crop[:, 0].any() and not crop[:, -1].any() and crop[:, 1:-1].all()


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("soft", [False, True])
def test_masks_are_averaged(window: CropWindow, soft: bool) -> None:
    mask = np.where(MASK, 0.3, 1.0) if soft else MASK
    crop = Observation(CAMERA, mask=mask).crop(window).mask
    np.testing.assert_allclose(crop, block_means(mask, window), rtol=2e-6)


def test_a_byte_is_converted_as_numpy_divides() -> None:
    every = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    camera = Camera(60.0, 60.0, 127.5, 127.5, 256, 256)
    for given, full in ((every, 65535), ((every % 256).astype(np.uint8), 255)):
        rgb = Observation(camera, rgb=given).rgb
        assert rgb is not None
        np.testing.assert_array_equal(rgb[..., 0], given.astype(np.float32) / np.float32(full))


@pytest.mark.parametrize("window", WINDOWS)
def test_depth_in_integers_and_in_metres_is_the_same(window: CropWindow) -> None:
    depth_m = DEPTH * 1e-4
    wanted = block_depths(depth_m, window)
    given: list[tuple[Any, float | None]] = [
        (DEPTH, 1e-4),
        (DEPTH.astype(np.int32), 1e-4),
        (depth_m, None),
        (depth_m.astype(np.float32), None),
        (DEPTH.astype(">u2"), 1e-4),
    ]
    for depth, scale in given:
        crop = Observation(CAMERA, depth=depth, depth_scale=scale).crop(window).depth
        np.testing.assert_allclose(crop, wanted, rtol=1e-6)


@pytest.mark.parametrize("order", ["shuffled", "rising", "falling", "two surfaces", "three values"])
@pytest.mark.parametrize("k", [3, 9, 30])
def test_the_median_of_a_block(order: str, k: int) -> None:
    depth = np.linspace(0.5, 1.5, k * k)
    if order == "shuffled":
        depth = RNG.permutation(depth)
    elif order == "falling":
        depth = depth[::-1]
    elif order == "two surfaces":
        depth = np.where(RNG.random(k * k) < 0.6, 0.7, 1.1) + RNG.normal(0.0, 1e-3, k * k)
    elif order == "three values":
        depth = RNG.choice([0.6, 0.8, 1.0], k * k)
    depth = depth.reshape(k, k)
    window = CropWindow(0, 0, k, k, k)
    found = Observation(Camera(60.0, 60.0, 1.0, 1.0, k, k), depth=depth).crop(window).depth
    np.testing.assert_allclose(found, block_depths(depth, window), rtol=1e-6)


@pytest.mark.parametrize("period", [1, 2, 4, 8])
def test_of_a_large_block_a_share_of_the_samples_will_do(period: int) -> None:
    # The nearer surface has two thirds; where depth is missing in a pattern, other samples are looked at.
    k = 64
    depth = np.full((k, k), 1.0)
    depth[:, : 2 * k // 3] = 0.7
    depth[::period, 1::2] *= 0.0 if period > 1 else 1.0
    found = Observation(Camera(60.0, 60.0, 1.0, 1.0, k, k), depth=depth).crop(CropWindow(0, 0, k, k, k)).depth
    np.testing.assert_allclose(found, [[0.7]], rtol=1e-6)


# ---------------- depth of points


def points(depth: NDArray[np.float32], pattern: str) -> NDArray[np.float32]:
    there = np.zeros(depth.shape, np.bool_)
    if pattern == "every 8th row, 3rd column":
        there[3::8, 1::3] = True
    elif pattern == "lines":
        there[5::8] = True
    elif pattern == "columns":
        there[:, 2::6] = True
    else:
        there = np.random.default_rng(0).random(depth.shape) < 0.05
    return np.where(there, depth, np.float32(0.0))


SLOPE = np.tile(np.linspace(0.5, 0.6, 96, dtype=np.float32), (72, 1))
PATTERNS = ["every 8th row, 3rd column", "lines", "columns", "scattered"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_depth_of_points_is_kept_where_pixels_are_joined(pattern: str) -> None:
    camera = Camera(60.0, 60.0, 47.5, 35.5, 96, 72)
    seen = Observation(camera, depth=points(SLOPE, pattern))
    assert seen.is_sparse
    joined = seen.crop(CropWindow(0, 0, 96, 72, 12)).depth
    assert joined is not None
    there = joined > 0.0
    assert there.mean() > 0.95
    wanted = SLOPE.reshape(6, 12, 8, 12).mean((1, 3))
    assert np.abs(joined - wanted)[there].max() < 0.01  # half of what a block's depths differ by


@pytest.mark.parametrize("pattern", PATTERNS)
def test_depth_of_points_is_continued_between_them_and_not_beyond(pattern: str) -> None:
    depth = points(SLOPE, pattern)
    depth[:, 60:] = 0.0
    surfaces = Observation(Camera(60.0, 60.0, 47.5, 35.5, 96, 72), depth=depth).surfaces.depth
    assert surfaces is not None
    assert np.all(surfaces[8:60, 2:57] > 0.0) and not surfaces[:, 80:].any()
    assert np.abs(surfaces - SLOPE)[8:60, 2:57].max() < 0.01
    assert np.array_equal(surfaces[depth > 0.0], depth[depth > 0.0])


@pytest.mark.parametrize("share", [0.6, 0.97])
def test_depth_with_holes_is_not_of_points(share: float) -> None:
    rows, columns = np.mgrid[:72, :96]
    holes = np.sin(rows / 9.0) * np.cos(columns / 11.0) > np.quantile(
        np.sin(rows / 9.0) * np.cos(columns / 11.0), 1 - share
    )
    depth = np.where(holes, np.float32(0.0), SLOPE)
    seen = Observation(Camera(60.0, 60.0, 47.5, 35.5, 96, 72), depth=depth)
    assert not seen.is_sparse and seen.surfaces is seen
    assert not Observation(CAMERA, depth=DEPTH, depth_scale=1e-4).is_sparse  # every third pixel is missing


def sparse_in_bands(depth: NDArray[np.float32]) -> bool:
    """Of four bands of 16 rows: whether less than a tenth of what is measured has neighbours beside and above."""
    measured = within = 0
    for top in np.unique(np.linspace(0, max(len(depth) - 16, 0), 4).astype(int)):
        there = np.pad(depth[top : top + 16] > 0.0, 1)
        beside, above = there[1:-1, :-2] | there[1:-1, 2:], there[:-2, 1:-1] | there[2:, 1:-1]
        measured += np.count_nonzero(there)
        within += np.count_nonzero(there[1:-1, 1:-1] & beside & above)
    return measured > 0 and within < 0.1 * measured


@pytest.mark.parametrize("height", [9, 45, 130])
@pytest.mark.parametrize("empty", [0.0, 0.4, 0.7, 1.0])
def test_depth_is_of_points_or_not_by_all_of_its_bands(height: int, empty: float) -> None:
    rng, told = np.random.default_rng(height), []
    for share in np.linspace(0.02, 0.6, 30):
        depth = (rng.random((height, 64)) < share).astype(np.float32)
        depth[: int(empty * height)] = 0.0
        told.append(StoredImage(depth.copy()).is_sparse)
        assert told[-1] == sparse_in_bands(depth)
    assert set(told) == ({True, False} if empty < 1.0 else {False})


# ---------------- large photographs


@pytest.mark.parametrize(
    ("width", "height", "k", "step"),
    [
        (1920, 1080, 40, 1),
        (640, 480, 16, 1),
        (2100, 2100, 6, 1),
        (2100, 2100, 21, 3),
        (3480, 2958, 87, 5),
        (4000, 3000, 20, 1),
        (8000, 6000, 50, 7),
    ],
)
def test_every_how_many_th_row_is_read(width: int, height: int, k: int, step: int) -> None:
    window = CropWindow(0, 0, width - width % k, height - height % k, k)
    assert rows_apart(window) == step


@pytest.mark.parametrize("k", [13, 20, 21, 22, 30, 35, 75, 77, 100])
def test_the_rows_that_are_read_lie_around_the_middle_of_their_block(k: int) -> None:
    # A ramp from row to row: a block's mean is its middle row's, whichever rows are read. Half a row is 2e-5 of it.
    height = 2100 - 2100 % k
    ramp = np.repeat(np.arange(height, dtype=np.uint16)[:, None] + np.uint16(20_000), 4200, axis=1)
    window = CropWindow(0, 0, 4200 - 4200 % k, height, k)
    image = StoredImage(ramp, 1e-4)
    assert (rows_apart(window) > 1) == (k >= 21)
    middle = 2.0 + 1e-4 * (np.arange(height // k) * k + 0.5 * (k - 1))
    wanted = np.repeat(middle[:, None], window.size[0], axis=1)
    np.testing.assert_allclose(image.mean(window).floats, wanted, rtol=4e-6)
    np.testing.assert_allclose(image.depth(window).floats, wanted, rtol=4e-6)


@pytest.mark.parametrize("preset", ["default", "fast", "paper"])
@pytest.mark.parametrize("names", [("rgb", "depth", "mask"), ("rgb",), ("depth", "mask")])
def test_a_refinement_converts_no_whole_image(preset: str, names: tuple[str, ...]) -> None:
    from diffdope.pipelines.refiner import Refiner

    example = packaged_example()
    images = {name: getattr(example.observation, name) for name in ("rgb", "depth", "mask")}
    given = {
        "rgb": (255 * images["rgb"]).round().astype(np.uint8),
        "depth": (1e4 * images["depth"]).round().astype(np.uint16),
        "mask": images["mask"] > 0.5,
    }
    scale = 1e-4 if "depth" in names else None
    observation = Observation(example.observation.camera, **{name: given[name] for name in names}, depth_scale=scale)
    refiner = Refiner(example.mesh, preset=preset, threads=1)
    refiner.refine(observation, example.start)
    if preset != "paper":
        refiner.track(observation, example.start)
        refiner.track(observation)
    assert observation._images.keys() == set(names)
    assert all(image._floats is None for image in observation._images.values())


# ---------------- whose memory it is


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("rgb", BYTES),
        ("rgb", BYTES[..., ::-1]),
        ("rgb", BYTES[..., 0]),
        ("rgb", (BYTES / 255).astype(np.float32)),
        ("depth", DEPTH),
        ("depth", (DEPTH * 1e-4).astype(np.float32)),
        ("mask", MASK),
        ("mask", MASK.astype(np.uint8)),
        ("mask", MASK.astype(np.float32)),
    ],
)
def test_what_is_given_may_be_overwritten(name: str, given: NDArray[Any]) -> None:
    buffer = given.copy(order="K")
    scale = 1e-4 if given.dtype == np.uint16 else None
    images: dict[str, Any] = {name: buffer}
    observation = Observation(CAMERA, **images, depth_scale=scale)
    window = CropWindow(0, 0, WIDTH, 44, 4)
    before = getattr(observation.crop(window), name).copy()
    assert buffer.flags.writeable
    buffer[...] = 0
    np.testing.assert_array_equal(getattr(observation.crop(window), name), before)
    assert getattr(observation, name).any()


def test_a_pickle_holds_what_was_given_and_no_floats() -> None:
    observation = Observation(CAMERA, rgb=BYTES[..., ::-1], depth=DEPTH, mask=MASK, depth_scale=1e-4)
    before = pickle.dumps(observation)
    images = observation.rgb, observation.depth, observation.mask
    after = pickle.dumps(observation)
    assert len(after) == len(before) < BYTES.nbytes + DEPTH.nbytes + MASK.nbytes + 2000
    twin = pickle.loads(after)
    for mine, its in zip(images, (twin.rgb, twin.depth, twin.mask), strict=True):
        np.testing.assert_array_equal(its, mine)
        assert not its.flags.writeable
    window = CropWindow(3, 2, 60, 40, 4)
    np.testing.assert_array_equal(twin.crop(window).rgb, observation.crop(window).rgb)


def test_another_mask_shares_the_images() -> None:
    observation = Observation(CAMERA, rgb=BYTES, depth=DEPTH, mask=MASK, depth_scale=1e-4)
    other = observation.with_mask(~MASK)
    assert other.rgb is observation.rgb and other.depth is observation.depth
    np.testing.assert_array_equal(other.mask, ~MASK)
    np.testing.assert_array_equal(observation.mask, MASK)
    assert observation.without_mask().rgb is observation.rgb
    brighter = observation.with_rgb(np.full((HEIGHT, WIDTH, 3), 1.5, np.float32))
    assert brighter.rgb is not None and brighter.rgb.min() == 1.5 and brighter.depth is observation.depth


def test_grey_is_one_channel_or_three_that_are_equal() -> None:
    grey = np.arange(40 * 50, dtype=np.uint8).reshape(40, 50, 1)
    colour = np.repeat(grey, 3, axis=2)
    assert StoredImage(grey).is_grey
    assert StoredImage(colour.copy()).is_grey
    colour[7, 9, 1] += 1  # which none of the sampled pixels shows
    assert not StoredImage(colour).is_grey
