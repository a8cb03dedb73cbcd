//! Brings people in from other programs, and out again: sources, presets, what a row must be.
//! Compiled for the command line.
