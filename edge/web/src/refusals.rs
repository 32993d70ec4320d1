//! What to say of a refusal, and what to do next, by its code (docs/errors).

use crate::i18n::Text;

/// A heading, and what the visitor can do next.
pub(crate) struct Words {
    /// What happened.
    pub title: &'static str,
    /// What to do.
    pub next: &'static str,
}

macro_rules! refusals {
    ($text:ident, $reason:ident; $($($code:literal)|+ => $title:ident, $next:ident;)+) => {
        match $reason {
            $($($code)|+ => Words { title: $text.$title(), next: $text.$next() },)+
            _ => Words { title: $text.refused_internal(), next: $text.refused_internal_next() },
        }
    };
}

/// The words for a code; those of a defect of ours where the code is not known.
pub(crate) fn words(text: Text, reason: &str) -> Words {
    refusals! { text, reason;
        "not_found" => refused_not_found, refused_not_found_next;
        "event_not_found" => refused_event_not_found, refused_event_not_found_next;
        "event_not_published" => refused_event_not_published, refused_event_not_published_next;
        "event_cancelled" => refused_event_cancelled, refused_event_cancelled_next;
        "event_ended" => refused_event_ended, refused_event_ended_next;
        "event_not_started" => refused_event_not_started, refused_event_not_started_next;
        "sold_out" => refused_sold_out, refused_sold_out_next;
        "over_limit" => refused_over_limit, refused_over_limit_next;
        "sales_not_started" => refused_sales_not_started, refused_sales_not_started_next;
        "sales_ended" => refused_sales_ended, refused_sales_ended_next;
        "unknown_ticket_type" => refused_unknown_ticket_type, refused_unknown_ticket_type_next;
        "unknown_promo_code" => refused_unknown_promo_code, refused_unknown_promo_code_next;
        "mixed_currencies" => refused_mixed_currencies, refused_mixed_currencies_next;
        "expired" => refused_expired, refused_expired_next;
        "not_payable" | "nothing_to_pay" => refused_not_payable, refused_not_payable_next;
        "payment_declined" => refused_payment_declined, refused_payment_declined_next;
        "payment_failed" => refused_payment_failed, refused_payment_failed_next;
        "payment_in_progress" | "request_in_progress" =>
            refused_payment_in_progress, refused_payment_in_progress_next;
        "already_cancelled" => refused_already_cancelled, refused_already_cancelled_next;
        "not_cancellable" => refused_not_cancellable, refused_not_cancellable_next;
        "not_transferable" => refused_not_transferable, refused_not_transferable_next;
        "unknown_recipient" => refused_unknown_recipient, refused_unknown_recipient_next;
        "not_a_ticket_holder" => refused_not_a_ticket_holder, refused_not_a_ticket_holder_next;
        "buyer" => refused_buyer, refused_buyer_next;
        "forbidden" => refused_forbidden, refused_forbidden_next;
        "forged_form" => refused_forged_form, refused_forged_form_next;
        "bad_input" | "no_numbered_seats" => refused_bad_input, refused_bad_input_next;
        "body_too_large" | "uri_too_long" => refused_body_too_large, refused_body_too_large_next;
        "method_not_allowed" => refused_method, refused_method_next;
        "version_mismatch" | "conflict" | "idempotency_key_reused" => refused_changed, refused_changed_next;
        "too_many_requests" => refused_too_many, refused_too_many_next;
        "unavailable" | "deadline_exceeded" | "request_timeout" => refused_unavailable, refused_unavailable_next;
    }
}
