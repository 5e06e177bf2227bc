//! Values as people write them on a command line: amounts, dates, durations, splits, inputs.

pub mod amount;
pub mod choice;
pub mod moment;
pub mod personal;
pub mod share;
