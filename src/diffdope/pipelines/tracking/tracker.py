"""Follows the object from frame to frame: predicts, refines, says when it is lost, and finds it again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from diffdope.errors import expected
from diffdope.geometry.pose import Pose
from diffdope.io.masks import BOX_NOTE
from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.locating.in_box import box_of_mask
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.settings import TrackingSettings
from diffdope.pipelines.tracking import relocalization
from diffdope.pipelines.tracking.by_depth import ByDepth, colours_mislead, in_light
from diffdope.pipelines.tracking.edge_ambiguity import EdgeAmbiguity
from diffdope.pipelines.tracking.fit_history import FitHistory
from diffdope.pipelines.tracking.frame import likeness, lost, not_found_yet, sureness, with_found_note, with_usual_note
from diffdope.pipelines.tracking.input_doubts import InputDoubts
from diffdope.pipelines.tracking.last_template import LastTemplate
from diffdope.pipelines.tracking.tracker_parts import FilmAids, FrameSearches
from diffdope.pipelines.tracking.without_mask import unless_misled
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.tracking.motion_model import MotionModel, finite_time, next_time
from diffdope.terms.photometric_gain import NEUTRAL, PhotometricGain


class Tracker:
    """The state between frames.

    A frame is refined from where the motion model expects the object. If the result is not as convincing as it has been
    so far, it is refined from coarse to fine: from where the object's picture in the last frame that could be trusted
    is seen now, from the prediction, and from the pose of the frame before. Poses that are in doubt do not feed the
    motion model; after `patience` frames in a row, or one that cannot be true, the object is lost. Every `retry` frames
    the wider search looks for it then, where its picture is seen, and in the mask or by keypoints of all of it.

    Args:
        mesh: the object.
        settings: when to doubt, and the motion model.
        searches: of a frame.
        aids: what else is kept of a film, and asked.
    """

    def __init__(
        self, mesh: Mesh, settings: TrackingSettings, searches: FrameSearches, aids: FilmAids | None = None
    ) -> None:
        aids = aids or FilmAids()
        self.mesh, self._settings = mesh, settings
        self._refine, self._search, self._quick = searches.near, searches.wide, searches.quick
        self._locate, self._light = searches.anywhere, searches.light
        self._keyframes, self._edges_alone, self._rivals = aids.keyframes, aids.edges_alone, aids.rivals
        self._by_depth, self._lag, self._borders = aids.by_depth, aids.depth_lag, aids.borders
        self._picture = LastTemplate(aids.matcher, settings.reach_m_per_s)
        self._gain: PhotometricGain | None = None
        self._usual, self.film = FitHistory(settings), InputDoubts(mesh)
        self._motion = MotionModel(settings.memory_s, settings.smoothing)
        self._last: Pose | None = None
        self._perhaps: Pose | None = None  # where a lost object may have been seen in the frame before
        self.clock_s = self._trusted_s = 0.0  # seconds, of the last frame
        self._in_doubt = self._lost_frames = self._untold = self._unproven = 0
        self._begun = self._searched = self._colours_off = False

    @property
    def lost(self) -> bool:
        """Whether the last frame was."""
        return self._lost_frames > 0

    def track(
        self, observation: Observation, pose: Pose | None = None, *, time_s: float | None = None
    ) -> RefinementResult:
        """The pose in the next frame; see `Refiner.track`."""
        if pose is not None:
            self.film.clear()
            self._borders.clear()
        observation = self._borders.ends(observation)
        if pose is None and self._last is None:
            first = self._first(observation, time_s)
            if not first.ok:
                return first
            pose = first.pose
        if pose is not None:
            self._restart(pose, time_s)
        else:
            self.clock_s = next_time(time_s, self.clock_s, self._settings.frame_s)
        result = self._next(observation)
        if self._lag is not None:
            result = self._lag.weighed(result, observation, self.clock_s, self._gain)
        return result if self._edges_alone is None else self._weighed(result, observation, self._edges_alone)

    def _weighed(self, result: RefinementResult, observation: Observation, edges: EdgeAmbiguity) -> RefinementResult:
        """No surer than what else explains the edges allows; from there on, if that explains more of them."""
        weighed = edges.weighed(result, observation)
        other = None if edges.better is None else self._made(self._refine(observation, edges.better))
        if other is None or not other.ok:
            return weighed
        self._restart(other.pose, self.clock_s)
        edges.moved()
        self._trust(other, observation)
        return with_found_note(edges.weighed(other, observation), 0)

    def _next(self, observation: Observation) -> RefinementResult:
        """A frame after the time has been told."""
        if self.lost:
            return self._found_or_not(observation)
        if box_of_mask(observation, self.mesh) is None:
            return self._frame(observation, observation)
        # It says where to look, not where the object ends.
        result = self._frame(observation.without_mask(), observation)
        return result if NoteCode.MASK_BOX in result.note_codes else replace(result, notes=(*result.notes, BOX_NOTE))

    def _first(self, observation: Observation, time_s: float | None) -> RefinementResult:
        """Located where there is a mask; `LOST` until an object that convinces has been found."""
        masked = self._locate is not None and observation.mask_box is not None
        if not masked and not self._searched:
            cure = "give the pose in the first frame, track(observation, pose=...), or a mask or box in it"
            raise expected("pose", "a start pose for the first frame, or a mask to find the object in", "none", cure)
        if self._searched:
            self.clock_s = next_time(time_s, self.clock_s, self._settings.frame_s)
        elif time_s is not None:
            self.clock_s = finite_time(time_s)
        self._searched = True
        if not masked or self._locate is None:
            return not_found_yet("no mask", notes=observation.notes)
        found = self._made(self._locate(observation))
        found = self.film.looked_at(found, observation, found.pose)
        if sureness(found) >= self._settings.found:
            return found
        return not_found_yet(f"confidence {sureness(found):.2f}, below {self._settings.found:g}", found)

    def _restart(self, pose: Pose, time_s: float | None) -> None:
        self.clock_s = 0.0 if time_s is None else finite_time(time_s)
        self._motion.restart(pose)
        self._last = pose
        self._trusted_s = self.clock_s - self._settings.frame_s
        self._in_doubt = self._lost_frames = self._unproven = 0
        self._begun, self._untold, self._perhaps = False, 0, None
        for learned in (self._usual, self._picture, self._keyframes, self._edges_alone, self._lag):
            if learned is not None:
                learned.clear()

    @property
    def _elapsed_s(self) -> float:
        return self.clock_s - self._trusted_s

    def _frame(self, observation: Observation, given: Observation) -> RefinementResult:
        """A frame while the object is not lost; given: the same with what only says where to look."""
        assert self._last is not None
        result = self._best(observation, self._motion.starts(self._elapsed_s, self._last, self.mesh.diameter))
        if not self._begun and sureness(result) < self._settings.found:  # a given pose may be rougher than a prediction
            result = max(result, self._made(self._search(observation, result.initial_pose)), key=sureness)
        if not self._begun:
            other = self._by_depth.at_start(self._refine, observation, result)
            result = result if other is None else self._made(other)
            result = self.film.looked_at(result, observation, result.initial_pose)
        confidence = sureness(result)
        # Of the first frame, who gave its pose has said that the object is there.
        least = self._usual.doubt if self._begun else self._settings.lost
        if result.ok and confidence >= least and self._usual.is_met(result, self._settings.unlike):
            if confidence < self._settings.doubt:
                result = self._surer(with_usual_note(result, confidence), observation)
            self._trust(result, observation)
            return result
        self._in_doubt += 1
        hopeless = not result.ok or (self._usual.telling and confidence < self._settings.lost)
        if hopeless or self._in_doubt >= self._settings.patience:
            return self._found_or_not(given)
        self._last = result.pose
        text = f"in doubt for {self._in_doubt} of {self._settings.patience} frames (confidence {confidence:.2f})"
        return replace(result, notes=(*result.notes, Note(NoteCode.IN_DOUBT, text)))

    def _surer(self, result: RefinementResult, observation: Observation) -> RefinementResult:
        """What is followed with a low confidence, or what the wider search is sure of.

        It looks after `patience` such frames, then after twice as many each time: what was given may be wrong for long.
        """
        self._untold += 1
        times, left = divmod(self._untold, self._settings.patience)
        if left or times & (times - 1):
            return result
        other = self.film.looked_at(self._made(self._search(observation, result.pose)), observation, result.pose)
        if sureness(other) < self._settings.found:
            return result
        self._begun = False
        self._usual.clear()
        return other

    def _best(self, observation: Observation, starts: list[Pose]) -> RefinementResult:
        """Of the first attempt that convinces, or else the most convincing."""
        results: list[RefinementResult] = []
        for attempt in self._attempts(observation, starts):
            results.append(self._made(attempt()))
            if self._convincing(results[-1]):
                return self.film.followed(results[-1])
        # What holds for the whole film is asked last: it would make all attempts as sure as each other.
        told, unlike = sureness if self._usual.telling else likeness, self._settings.unlike
        return self.film.followed(max(results, key=lambda one: (self._usual.is_met(one, unlike), told(one))))

    def _convincing(self, result: RefinementResult) -> bool:
        """Whether an attempt at a frame needs no other beside it."""
        return sureness(result) >= self._usual.doubt and self._usual.is_met(result, self._settings.alike)

    def _attempts(self, observation: Observation, starts: list[Pose]) -> Iterator[Callable[[], Attempt]]:
        """What is tried one after the other; the picture of the object is looked for where the first is in doubt."""
        by_depth = self._by_depth if self._unproven == 0 else ByDepth()  # found again, perhaps the wrong way round
        if self._quick is not None and self._begun:
            lit = in_light(self._quick, self._gain)
            held = partial(unless_misled, lit, self._convincing, self._settings.doubt)
            yield from by_depth.attempts(lit, held, observation, starts[0], first=self._colours_off)
        seen = self._picture.seen(observation, starts[0], self._elapsed_s)
        for start in starts if seen is None else (seen, *starts):
            yield partial(self._refine, observation, start)
        if self._quick is None or not self._begun:
            yield from by_depth.alone(self._refine, observation, starts[0])

    def _made(self, attempt: Attempt) -> RefinementResult:
        """Its result; keeps the light of one that can be trusted for the next frame."""
        result, gain = attempt
        sure = result.confidence is not None and result.confidence >= self._usual.doubt
        known = NEUTRAL if self._light == "as-is" else (gain if self._light in ("gain-bias", "shading") else None)
        self._gain = known if sure else None
        return result

    def _trust(self, result: RefinementResult, observation: Observation) -> None:
        if self._begun:
            self._motion.take(result.pose, self._elapsed_s)
        else:  # from a given pose to the first result is no motion, but the error of what was given
            self._motion.restart(result.pose)
        self._begun, self._colours_off = True, colours_mislead(result)
        self._last, self._trusted_s, self._in_doubt = result.pose, self.clock_s, 0
        self._picture.take(observation, result.pose)
        self._borders.take(result.pose, self._refine)
        self._unproven = max(self._unproven - 1, 0)
        if self._unproven == 0:  # from what may be a wrong pose, nothing is learned
            self._usual.take(result)
            if self._keyframes is not None:
                self._keyframes.take(observation, result.pose)

    def _found_or_not(self, observation: Observation) -> RefinementResult:
        """A frame while the object is lost, the one that says so included."""
        predicted = self._motion.stop(self._elapsed_s)
        wide = self._lost_frames % self._settings.retry == 0
        self._lost_frames += 1
        around, masked = self._perhaps or predicted, observation.mask_box is not None
        start = self._picture.seen(observation, around, self._elapsed_s)
        if masked and self._perhaps is not None:
            start = relocalization.recentred(self._perhaps, self.mesh, observation)
        elif wide and (start is None or masked):
            start = relocalization.recentred(self._motion.pose, self.mesh, observation)
        attempt = (self._search if wide else self._refine)(observation, start := start or around)
        result = self._made(attempt)
        # As seldom as the wider search: it takes as long, and from one frame to the next little changes.
        anew = False  # whether it would begin a film as well
        if wide and self._locate is not None and not self._convinces(result):
            elsewhere = relocalization.located(self._locate, self._refine, self.mesh, observation)
            if elsewhere is not None:
                anew = masked and relocalization.begins_anew(elsewhere.result, result, self.mesh, self._settings)
                attempt = max(attempt, elsewhere, key=lambda one: sureness(one.result))
                result = self._made(attempt)
        rivals = self._rivals if self._begun and self._usual.telling and not anew else None
        seen = rivals is not None and sureness(result) >= self._usual.found
        if rivals is not None and seen:
            result = self._made(rivals.weighed(attempt, observation, self._motion.pose))
        if self._begun and result.ok and not masked:  # no mask has the object there
            was = self._picture.last_seen(self._motion.pose, self._elapsed_s)
            result = relocalization.unless_another_one(result, was, self._refine, self.mesh, self._settings)
        perhaps = result.ok and (seen or (masked and sureness(result) >= self._settings.lost))
        self._perhaps = result.pose if perhaps else None
        result = self.film.at_scale(result, observation, predicted)
        convinces = partial(self._convinces, anew=anew)
        trusted, convinced = convinces if self._begun else None, convinces(result)
        result = self.film.looked_at(result, observation, start, trusted) if wide else self.film.followed(result)
        # A frame that was as sure as this one is now has begun the film.
        if convinces(result) or (convinced and not self.film.contradicted):
            return self._recovered(result, observation, anew=anew)
        self._last, likely = predicted, self._perhaps if masked else None
        return lost(result, predicted, self._lost_frames, self._usual.found, followed=self._begun, likely=likely)

    def _convinces(self, result: RefinementResult, *, anew: bool = False) -> bool:
        """Whether a lost object has been found; anew: as at the beginning of a film, whatever it looked like before."""
        alike = anew or self._usual.is_met(result, self._settings.unlike)
        return sureness(result) >= self._usual.found and alike

    def _recovered(self, result: RefinementResult, observation: Observation, *, anew: bool) -> RefinementResult:
        frames, self._lost_frames, self._perhaps = self._lost_frames - 1, 0, None
        if self._begun and observation.mask_box is None:
            was = self._picture.last_seen(self._motion.pose, self._elapsed_s)
            result = relocalization.with_distance(result, was, self.mesh)
        if self._rivals and self._keyframes and self._usual.slipped(self._refine(observation, result.pose).result):
            self._keyframes.clear()
            self._usual.forget_learned()
        if anew:
            self._usual.clear()
        self._unproven = 1 + self._settings.patience if self._begun else 0
        self._begun = False
        self._trust(result, observation)
        return with_found_note(result, frames)
