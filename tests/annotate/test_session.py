"""The session without a screen: commands, undo, sharing over pictures, what is saved when."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope import Pose
from diffdope.annotate.session import Session
from diffdope.annotate.state import AnnotatedObject, Annotations, Origin, Placement
from diffdope.errors import DiffDopeError
from diffdope.geometry import so3


def pose(rng: np.random.Generator) -> Pose:
    return Pose(so3.exp(rng.normal(size=3)), rng.normal(size=3) * 0.1 + [0.0, 0.0, 0.8])


@pytest.fixture
def saved() -> list[Annotations]:
    return []


@pytest.fixture
def session(saved: list[Annotations]) -> Session:
    return Session([0, 5, 7], [1, 2], saved=saved.append)


def poses(session: Session) -> list[tuple[int, int, bytes]]:
    return [(*one.key, one.pose.matrix.tobytes()) for one in session.state.placements]


def test_every_change_is_saved_before_the_command_returns(
    session: Session, saved: list[Annotations], rng: np.random.Generator
) -> None:
    thing = session.add(2, pose(rng))
    session.move(pose(rng))
    session.nudge([0.001, 0.0, 0.0])
    session.mark(checked=True)
    session.step(1)
    session.undo()
    session.redo()
    session.select(thing)
    session.remove()
    assert len(saved) == 9
    assert saved[-1] is session.state


def test_a_change_that_cannot_be_saved_is_not_made(rng: np.random.Generator) -> None:
    full = False

    def save(state: Annotations) -> None:
        if full:
            raise OSError(28, "No space left on device")

    session = Session([0], [1], saved=save)
    session.add(1, pose(rng))
    before, full = session.state, True
    for change in (
        lambda: session.nudge([0.1, 0, 0]),
        session.remove,
        session.undo,
        lambda: session.mark(checked=True),
    ):
        with pytest.raises(OSError, match="No space"):
            change()
        assert session.state is before
    full = False
    assert session.undo() and not session.state.placements


def test_undo_and_redo_go_through_every_state(session: Session, rng: np.random.Generator) -> None:
    states = [poses(session)]
    for change in (
        lambda: session.add(1, pose(rng)),
        lambda: session.nudge(turn_rad=[0.0, 0.1, 0.0]),
        lambda: session.add(2, pose(rng)),
        lambda: session.move(pose(rng), Origin.REFINED, confidence=0.9),
        session.remove,
    ):
        change()
        states.append(poses(session))
    for expected_state in states[-2::-1]:
        assert session.undo()
        assert poses(session) == expected_state
    assert not session.undo() and not session.can_undo
    for expected_state in states[1:]:
        assert session.redo()
        assert poses(session) == expected_state
    assert not session.redo()


def test_a_new_change_forgets_what_was_undone(session: Session, rng: np.random.Generator) -> None:
    session.add(1, pose(rng))
    session.undo()
    session.add(2, pose(rng))
    assert not session.can_redo


def test_one_drag_is_undone_at_once(session: Session, rng: np.random.Generator) -> None:
    first = pose(rng)
    session.add(1, first)
    for _ in range(10):
        session.move(pose(rng), gesture="drag 1")
    for _ in range(3):
        session.move(pose(rng), gesture="drag 2")
    session.undo()
    session.undo()
    assert session.state.current is not None and session.state.current.pose is first


def test_a_nudge_turns_about_the_middle_and_moves_along_the_camera(session: Session, rng: np.random.Generator) -> None:
    old, middle = pose(rng), np.array([0.3, -0.1, 0.2])
    session.add(1, old)
    session.nudge([0.0, 0.002, 0.0], [0.0, 0.0, 0.3], middle)
    assert session.state.current is not None
    new = session.state.current.pose
    assert np.allclose(new.apply(middle), old.apply(middle) + np.array([0.0, 0.002, 0.0]), atol=1e-12)
    assert np.allclose(new.R_m2c, so3.exp([0.0, 0.0, 0.3]) @ old.R_m2c)


def test_the_next_picture_begins_with_the_last_poses_which_no_file_holds(
    session: Session, rng: np.random.Generator
) -> None:
    session.add(1, pose(rng))
    thing = session.add(2, pose(rng))
    session.mark(checked=True)
    assert session.step(1)
    state = session.state
    assert [one.origin for one in state.within(5)] == [Origin.BEFORE, Origin.BEFORE]
    assert state.selected == thing and not state.annotations(5)
    session.nudge([0.0, 0.0, 0.01])
    assert [one.thing for one in session.state.annotations(5)] == [thing]
    session.select(1)
    session.mark(checked=True)  # it is right as it is
    assert len(session.state.annotations(5)) == 2
    assert session.state.at(0, thing).checked  # type: ignore[union-attr]


def test_a_picture_that_was_begun_is_left_as_it_is(session: Session, rng: np.random.Generator) -> None:
    session.add(1, pose(rng))
    session.step(1)
    session.nudge([0.1, 0.0, 0.0])
    before = poses(session)
    session.step(-1)
    session.step(1)
    assert poses(session) == before
    assert session.step(1) and not session.step(1)


def test_a_moved_pose_is_not_checked_any_more(session: Session, rng: np.random.Generator) -> None:
    session.add(1, pose(rng))
    session.mark(checked=True, ambiguous=True)
    session.move(pose(rng), Origin.REFINED, confidence=0.8, sigma_mm=0.4, sigma_deg=0.2)
    current = session.state.current
    assert current is not None and not current.checked and not current.ambiguous
    assert (current.confidence, current.sigma_mm, current.sigma_deg) == (0.8, 0.4, 0.2)


def test_a_still_scene_shares_its_poses_over_pictures_with_known_cameras(rng: np.random.Generator) -> None:
    T_w2c = {im_id: pose(rng) for im_id in (0, 5)}
    session = Session([0, 5, 7], [1], cameras=T_w2c, still=True)
    T_m2w = pose(rng)
    session.add(1, T_w2c[0] @ T_m2w)
    for im_id in (0, 5):
        found = session.state.at(im_id, 1)
        assert found is not None and np.allclose(found.pose.matrix, (T_w2c[im_id] @ T_m2w).matrix, atol=1e-12)
    assert session.state.at(5, 1).origin == Origin.SCENE  # type: ignore[union-attr]
    assert len(session.state.annotations(5)) == 1
    assert session.state.at(7, 1) is None  # nobody knows where that camera is
    session.go_to(5)
    session.mark(checked=True)
    session.move(T_w2c[5] @ pose(rng), Origin.REFINED)
    moved = T_w2c[0].inverse() @ session.state.at(0, 1).pose  # type: ignore[union-attr]
    assert np.allclose(moved.matrix, (T_w2c[5].inverse() @ session.state.current.pose).matrix, atol=1e-12)  # type: ignore[union-attr]
    session.remove()
    assert not session.state.placements and not session.state.things
    session.undo()
    assert len(session.state.placements) == 2


def test_a_checked_picture_stays_checked_where_its_pose_stays(rng: np.random.Generator) -> None:
    T_w2c = {im_id: pose(rng) for im_id in (0, 5)}
    session = Session([0, 5], [1], cameras=T_w2c, still=True)
    session.add(1, pose(rng))
    session.mark(checked=True)
    session.go_to(5)
    session.move(session.state.current.pose, Origin.HAND)  # type: ignore[union-attr]
    assert session.state.at(0, 1).checked  # type: ignore[union-attr]
    session.nudge([0.001, 0.0, 0.0])
    assert not session.state.at(0, 1).checked  # type: ignore[union-attr]


def test_an_object_taken_from_one_picture_stays_in_the_others(session: Session, rng: np.random.Generator) -> None:
    session.add(1, pose(rng))
    session.step(1)
    session.nudge([0.1, 0.0, 0.0])
    session.remove()
    assert session.state.selected is None
    assert [one.key for one in session.state.placements] == [(0, 1)]
    assert session.add(2, pose(rng)) == 2


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (lambda s: s.move(Pose.identity()), "one that is selected, got none"),
        (lambda s: s.nudge([0.1, 0.0, 0.0]), "one that is selected"),
        (lambda s: s.mark(checked=True), "one that is selected"),
        (lambda s: s.remove(), "one that is selected"),
        (lambda s: s.select(4), "object: expected one of this picture"),
        (lambda s: s.add(9, Pose.identity()), "object: expected one of 1, 2"),
        (lambda s: s.go_to(6), "picture: expected one of"),
    ],
)
def test_what_cannot_be_done_changes_nothing(
    session: Session, saved: list[Annotations], command: object, why: str
) -> None:
    before = session.state
    with pytest.raises(DiffDopeError, match=why):
        command(session)  # type: ignore[operator]
    assert session.state is before and not saved


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (Annotations(3), "pictures 0 to 7, got 3"),
        (Annotations(0, None, (AnnotatedObject(1, 9),)), "objects 1, 2, got 9"),
        (Annotations(0, None, (), (Placement(0, 1, Pose.identity(), Origin.HAND),)), "an object of the session"),
        (Annotations(0, None, (AnnotatedObject(1, 1), AnnotatedObject(1, 2))), "each number once"),
        (
            Annotations(0, None, (AnnotatedObject(1, 1),), (Placement(0, 1, Pose.identity(), Origin.HAND),) * 2),
            "object 1 once",
        ),
    ],
)
def test_a_state_of_other_pictures_or_objects_is_refused(state: Annotations, why: str) -> None:
    with pytest.raises(DiffDopeError, match=why):
        Session([0, 5, 7], [1, 2], state=state)


def test_a_still_scene_needs_cameras() -> None:
    with pytest.raises(DiffDopeError, match="cam_R_w2c"):
        Session([0, 1], [1], cameras={0: Pose.identity()}, still=True)
