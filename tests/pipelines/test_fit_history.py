"""What is usual in a film: each kind of evidence that tells on its own."""

from __future__ import annotations

from dataclasses import replace

from diffdope.estimate.fit_quality import FitQuality
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.settings import TrackingSettings
from diffdope.pipelines.tracking.fit_history import FitHistory
from diffdope.pipelines.tracking.frame import not_found_yet
from diffdope.problem.failure import Status


def result(**shares: float) -> RefinementResult:
    return replace(not_found_yet("none"), status=Status.CONVERGED, confidence=0.9, evidence=FitQuality(**shares))


def test_depth_that_fits_less_is_not_made_up_for_by_other_evidence() -> None:
    usual = FitHistory(TrackingSettings())
    usual.take(result(depth_inliers=0.92, outline=0.7))
    assert usual.is_met(result(depth_inliers=0.84, outline=0.7), 0.9)
    assert not usual.is_met(result(depth_inliers=0.80, outline=1.0), 0.9)
    assert usual.is_met(result(outline=0.7), 0.9)  # a frame without depth


def test_depth_beside_a_mask_and_without_one_do_not_compare() -> None:
    usual = FitHistory(TrackingSettings())
    usual.take(result(depth_inliers=0.95, overlap=0.9, outline=0.7))
    assert usual.is_met(result(depth_inliers=0.6, outline=0.7), 0.9)  # what hides it counts there
    assert not usual.is_met(result(depth_inliers=0.6, overlap=0.9, outline=0.7), 0.9)
    usual.take(result(depth_inliers=0.6, outline=0.7))
    assert not usual.is_met(result(depth_inliers=0.5, outline=0.8), 0.9)
