"""Tests of the visitor's edge."""
