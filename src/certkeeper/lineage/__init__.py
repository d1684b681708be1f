"""Lineages: the versions of one certificate over time, in dehydrated's file names. Pure; files come as bytes."""
