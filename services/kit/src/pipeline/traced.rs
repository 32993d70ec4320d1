//! The spans of a batch: each request and each fact has its own, from its decision to the end of the commit that
//! it shares with others.

use std::borrow::Cow;

use bus::Fact;
use store::Row;

use super::{NotDone, Pipeline};
use crate::{
    machine::Machine,
    trace::{Attribute, OpenSpan, SpanKind},
};

/// The span of one decision of a batch.
pub(super) struct Traced {
    span: OpenSpan,
    kind: SpanKind,
    name: Cow<'static, str>,
}

impl<M: Machine> Pipeline<M> {
    /// Begins the span of a request; what its facts say of where they come from. None where nobody collects it.
    pub(super) fn trace_request(
        &self,
        traced: &mut Vec<Traced>,
        traceparent: Option<&str>,
    ) -> Option<String> {
        let span = self.environment.child_of(traceparent)?;
        let told = span.context.traceparent();
        traced.push(Traced { span, kind: SpanKind::Internal, name: Cow::Borrowed("commit") });
        Some(told)
    }

    /// As [`Pipeline::trace_request`], of a fact.
    pub(super) fn trace_fact(&self, traced: &mut Vec<Traced>, fact: &Fact) -> Option<String> {
        let span = self.environment.child_of(fact.traceparent.as_deref())?;
        let told = span.context.traceparent();
        let name = Cow::Owned(format!("process {}", fact.kind));
        traced.push(Traced { span, kind: SpanKind::Consumer, name });
        Some(told)
    }

    /// Ends the spans of a batch of so many items, whose commit ended so.
    pub(super) fn end_traced(&self, traced: Vec<Traced>, items: usize, committed: &Result<bool, NotDone>) {
        let failure = match committed {
            Ok(_) => None,
            Err(NotDone::Unknown(_)) => Some("unknown"),
            Err(_) => Some("unavailable"),
        };
        let items = i64::try_from(items).unwrap_or(i64::MAX);
        for Traced { span, kind, name } in traced {
            let attributes = vec![("boxoffice.batch.size", Attribute::Number(items))];
            span.end(&self.environment, kind, <M::Row as Row>::SERVICE, name, failure, attributes);
        }
    }
}
