"""Plan school places: enrolment, construction and the mix that takes every child in."""
