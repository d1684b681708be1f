"""`certkeeper dehydrated …`: what can be typed, printed and relied on with dehydrated, done by this engine."""
