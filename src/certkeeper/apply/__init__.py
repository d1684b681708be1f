"""Carrying out a plan: exchanges, waves and the scheduler. Effects happen behind ports."""
