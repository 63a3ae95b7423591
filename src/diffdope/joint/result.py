"""What a scene's refinement returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.fit_quality import FitQuality
from diffdope.geometry.pose import Pose
from diffdope.note_codes import NoteCode, codes_of
from diffdope.problem.failure import Status
from diffdope.search.alternatives.answers import Answer

F64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ObjectInView:
    """What one view says about one object.

    Attributes:
        view: number of the view.
        used: whether it took part.
        reason: why not; empty if it did.
        pose: T_m2c, the object in that camera.
        confidence: how well the view's images fit the pose, in [0, 1]; None where nothing was compared.
        evidence: in numbers; None where nothing was compared.
        deviations: how far the view's own optimum is, in its standard deviations; about 1 if nothing is wrong. None
            where it did not take part.
    """

    view: int
    used: bool
    reason: str
    pose: Pose
    confidence: float | None = None
    evidence: FitQuality | None = None
    deviations: float | None = None


@dataclass(frozen=True, eq=False)
class ObjectResult:
    """One object. Look at `ok` first.

    Attributes:
        name: of the object.
        pose: T_m2w, model to world, metres; of a single view without a place, model to camera.
        status: how it ended.
        message: the status in words.
        confidence: probability that its surface is off by less than the tolerance (`search.confidence`).
        covariance: (6, 6) in (rho [m], phi [rad]) of T_m2w, cameras' uncertainty included; None from a preset that has
            none, or where nothing could be compared.
        unobserved: (K, 6) directions about which no view says enough; see `RefinementResult.unobserved`.
        views: what each view says, in their order.
        notes: what a user should know.
        answers: poses in the world that the views support, the most probable first, as `locate` gives them; the first
            is `pose`. Empty where a start was given and one pose was found.
        right_minimum: probability that the pose is in the right minimum, however well it is known there.
    """

    name: str
    pose: Pose
    status: Status
    message: str
    confidence: float
    covariance: F64 | None
    unobserved: F64 | None
    views: tuple[ObjectInView, ...]
    notes: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()
    right_minimum: float | None = None

    @property
    def ok(self) -> bool:
        """Whether a pose was found."""
        return self.status.ok

    @property
    def note_codes(self) -> tuple[NoteCode, ...]:
        """What each note is about, for programs."""
        return codes_of(self.notes)


@dataclass(frozen=True, eq=False)
class ViewResult:
    """One view.

    Attributes:
        name: of the view.
        used: whether any object was found with its help.
        reason: why not; empty if it was.
        T_w2c: world to camera: as given, or refined.
        refined: whether it was refined.
        covariance: (6, 6) in (rho [m], phi [rad]) of T_w2c; None if it was held.
        moved_mm: how far the camera's centre moved.
        moved_deg: how far it turned.
        deviations: root mean square, over the objects that took part, of their `deviations`; None for none.
        place: "given"; "found" from the objects (`find_places`); or "open", where they do not tell it: T_w2c is then
            the identity, and says nothing.
    """

    name: str
    used: bool
    reason: str
    T_w2c: Pose
    refined: bool
    covariance: F64 | None = None
    moved_mm: float = 0.0
    moved_deg: float = 0.0
    deviations: float | None = None
    place: Literal["given", "found", "open"] = "given"

    @property
    def T_c2w(self) -> Pose:
        """Camera to world: where the camera stands."""
        return self.T_w2c.inverse()


@dataclass(frozen=True, repr=False, eq=False)
class SceneResult:
    """All objects and views.

    Attributes:
        objects: in the order given.
        views: in the order given.
        covariance: (D, D) of all that was looked for: (rho, phi) of T_m2w of each object, then of T_w2c of each camera
            that was refined, in the views' order; None where there is none.
        notes: what a user should know of the whole: views that were left out, cameras that are not where they were
            said to be.
        elapsed_s: wall time.
        plane: (a, b, c, d) of a x + b y + c z = d in the world, metres, on which objects rest; (a, b, c) has length 1
            and points to their side. None unless it was asked for and found.
    """

    objects: tuple[ObjectResult, ...]
    views: tuple[ViewResult, ...]
    covariance: F64 | None
    notes: tuple[str, ...]
    elapsed_s: float
    plane: tuple[float, float, float, float] | None = None

    @property
    def ok(self) -> bool:
        """Whether every object was found, and every place that was looked for."""
        return all(one.ok for one in self.objects) and all(one.place != "open" for one in self.views)

    @property
    def note_codes(self) -> tuple[NoteCode, ...]:
        """What each note of the whole is about, for programs."""
        return codes_of(self.notes)

    def __repr__(self) -> str:
        """An object a line; look at the attributes for the rest."""
        found = sum(one.ok for one in self.objects)
        lines = [f"SceneResult({found} of {len(self.objects)} found in {len(self.views)} views, {self.elapsed_s:.2f} s"]
        for one in self.objects:
            x, y, z = 1e3 * one.pose.t_m2c
            place = f"at ({x:.1f}, {y:.1f}, {z:.1f}) mm"
            lines.append(f"  {one.name}: {one.status}, confidence {one.confidence:.2f}, {place}")
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines) + ")"
