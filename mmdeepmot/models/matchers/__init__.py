"""Matchers: from the distances of tracks and objects to a soft assignment."""

from mmdeepmot.models.matchers.base import LogitMatcher, Matcher, MatchInput, check_input
from mmdeepmot.models.matchers.dhn import DHN

__all__ = ["DHN", "LogitMatcher", "MatchInput", "Matcher", "check_input"]
