"""Trackio: the experiments that an app behind a Space keeps, through one port for both kinds of app."""
