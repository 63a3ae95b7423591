"""All poses of an object that the views found, the most probable first, in the world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from diffdope.geometry.pose import Pose
from diffdope.joint.merge import Single, vote
from diffdope.joint.normal_equations import CameraPrior
from diffdope.pipelines.refiner import Refiner
from diffdope.search.alternatives.answers import Answer
from diffdope.search.alternatives.canonical import nearest_alike

_LEAST = 1e-3  # probability below which a pose is no answer, as in `search/alternatives/answers.py`
_MOST = 20  # answers of one object: more tell nobody anything


def ranked_answers(
    singles: Mapping[int, Single], cameras: Sequence[Pose], priors: Mapping[int, CameraPrior], refiner: Refiner,
    first: Pose,
) -> tuple[Answer, ...]:  # fmt: skip
    """Poses in the world, about the object's own middle: each with the mean, over the views, of its probability there.

    Answers of several views that agree are one. The first is the common pose, whatever its share.

    Args:
        singles: what the views found, by view.
        cameras: T_c_w of all views.
        priors: of cameras that are not exact.
        refiner: of the object.
        first: T_w_o, the common pose, which takes the place of the answer with most support.
    """
    left = dict(singles)
    found: list[Answer] = []
    while left and len(found) < _MOST:
        one = vote(left, cameras, priors, refiner)
        share = 0.0
        for view, pose in one.agreeing.items():
            number = _nearest(left[view], pose, refiner)
            share += left[view].answers[number][1] / len(singles)
            rest = tuple(other for n, other in enumerate(left[view].answers) if n != number)
            if rest:
                left[view] = left[view]._replace(answers=rest)
            else:
                del left[view]
        found.append(Answer(one.pose if found else first, share))
    others = sorted((one for one in found[1:] if one.probability >= _LEAST), key=lambda one: -one.probability)
    return (found[0], *others) if found else ()


def _nearest(single: Single, pose: Pose, refiner: Refiner) -> int:
    def away(one: Pose) -> float:
        turned = nearest_alike(one, pose, refiner.meshes.unnoticed)
        return float(turned.angle_to(pose) + turned.distance_to(pose) / refiner.mesh.diameter)

    return min(range(len(single.answers)), key=lambda n: away(single.answers[n][0]))
