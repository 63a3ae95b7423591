"""Rotations, poses, cameras and crops."""

from typing import TYPE_CHECKING

from diffdope.former_homes import leading_on

if not TYPE_CHECKING:  # a checker of types would take any name for one of this package
    __getattr__ = leading_on(__name__)
