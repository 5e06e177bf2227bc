//! One line of report for each envelope, and the summary at the end.

use headwater_ledger::hash::EnvelopeId;
use serde::Serialize;

use crate::build::Made;
use crate::failure::Failure;
use crate::submission::{EnvelopeStatus, Standing};

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LineStatus {
    /// Recorded, now or by an earlier run.
    Recorded,
    /// Refused.
    Refused,
    /// Sent, and still waiting for something else.
    Waiting,
    /// Sent, and not in a block yet.
    Pending,
    /// Never sent, for want of what it refers to.
    Failed,
}

/// The report of one line; its JSON form is stable.
#[derive(Debug, Clone, Serialize)]
pub struct LineReport {
    /// Number of the line in the file.
    pub line: u64,
    /// Its label.
    pub label: Option<String>,
    /// What became of it.
    pub status: LineStatus,
    /// Whether an earlier run had recorded it.
    pub earlier: bool,
    /// Id of its envelope, where one was signed.
    pub envelope: Option<EnvelopeId>,
    /// Height of its block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u64>,
    /// Its place in the block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// What it made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub made: Vec<Made>,
    /// Why it is not recorded.
    #[serde(flatten)]
    pub why: Option<Why>,
}

/// Why an envelope is not recorded.
#[derive(Debug, Clone, Serialize)]
pub struct Why {
    /// Code of the rule.
    pub code: String,
    /// A sentence.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// The rule in the spec.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Whether the same envelope can never be recorded any more.
    #[serde(rename = "final")]
    pub is_final: bool,
}

impl Why {
    /// From what a node says.
    pub fn of_status(status: &EnvelopeStatus) -> Option<Self> {
        if status.status == Standing::Recorded {
            return None;
        }
        let message = status.message.clone();
        Some(Why {
            code: status.code.clone().unwrap_or_else(|| "NOT_RECORDED".to_string()),
            message: message.unwrap_or_else(|| "the envelope is not in a block yet".to_string()),
            hint: status.hint.clone(),
            rule: status.rule.clone(),
            is_final: status.is_settled(),
        })
    }

    /// From what kept it from being sent.
    pub fn of_failure(failure: &Failure) -> Self {
        Why {
            code: failure.code().to_string(),
            message: failure.message().to_string(),
            hint: Some(failure.hint_text().to_string()),
            rule: None,
            is_final: false,
        }
    }
}

/// What became of all lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Lines that hold an envelope.
    pub envelopes: u64,
    /// Recorded by this run.
    pub recorded: u64,
    /// Recorded by an earlier run.
    pub earlier: u64,
    /// Refused, or not sent for want of what they refer to.
    pub refused: u64,
    /// Sent, but not recorded yet.
    pub outstanding: u64,
    /// Not tried, because the run stopped before.
    pub not_tried: u64,
}

impl Summary {
    /// Counts a report.
    pub fn count(&mut self, report: &LineReport) {
        match report.status {
            LineStatus::Recorded if report.earlier => self.earlier += 1,
            LineStatus::Recorded => self.recorded += 1,
            LineStatus::Refused | LineStatus::Failed => self.refused += 1,
            LineStatus::Waiting | LineStatus::Pending => self.outstanding += 1,
        }
        self.not_tried -= 1;
    }

    /// Whether everything is recorded.
    pub fn is_complete(&self) -> bool {
        self.recorded + self.earlier == self.envelopes
    }
}
