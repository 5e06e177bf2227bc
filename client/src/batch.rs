//! A file of envelopes: signed, sent and recorded once each, whatever happens meanwhile.
//!
//! - [`input`]: the file, read and checked as a whole before anything is sent
//! - [`event`]: events in JSON with names and labels in place of ids
//! - [`journal`]: what was signed and what became of it, kept beside the file
//! - [`prepare`]: from a line to signed bytes
//! - [`report`]: what is told of each line
//! - [`run`]: signing, sending, waiting, and reports in the order of the lines

pub mod event;
pub mod input;
pub mod journal;
pub mod prepare;
pub mod report;
pub mod run;
