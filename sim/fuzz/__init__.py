"""Fuzzing: a seed is a world, a world is a scenario; judged, steered, shrunk and explained."""
