"""Several views and several objects as one problem."""
