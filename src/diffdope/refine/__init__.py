"""Hypotheses, the loop, selection and the result: the only package that joins objective and optimiser."""
