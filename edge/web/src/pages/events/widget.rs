//! An event on somebody else's site: a frame that shows it and leads here. Without a script the frame itself is put
//! into a page; the script does just that.
//!
//! ```html
//! <script async src="https://tickets.example/widget.js" data-event="EVENT"></script>
//! <iframe src="https://tickets.example/widget/EVENT" title="Tickets" width="100%" height="220"></iframe>
//! ```

use axum::{
    Router,
    extract::Path,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{
    HeaderValue,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use maud::{Markup, html};
use proto::v1::{Event, GetEventRequest};

use super::parts::{Sale, price_from, sale, sale_mark, when, where_in_one_line};
use crate::{
    assets,
    failure::Answer,
    poster::poster,
    urls::{self, Url},
    view::{Frame, Head, Page, View},
    visit::Visit,
};

/// The routes of this file.
pub(super) fn routes() -> Router {
    Router::new().route(urls::Widget::ROUTE, get(show)).route(urls::WidgetScript::ROUTE, get(script))
}

async fn show(visit: Visit, Path(event_id): Path<String>) -> Answer {
    let request = visit.request(GetEventRequest { event_id });
    let event = visit.ask(visit.services().event().get_event(request)).await?;
    visit.view().show(&WidgetPage { event })
}

/// Other sites link the script by this name for good, so it is looked for anew from time to time.
async fn script() -> Response {
    let mut response = assets::content("widget.js").into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

/// An event in a frame.
pub(crate) struct WidgetPage {
    event: Event,
}

impl Page for WidgetPage {
    fn head(&self, _: &View) -> Head {
        Head { frame: Frame::Bare, ..Head::titled(self.event.title.as_str()) }
    }

    fn main(&self, view: &View) -> Markup {
        let (text, event) = (view.text, &self.event);
        let action = if sale(view, event) == Sale::Open { text.widget_tickets() } else { text.widget_more() };
        html! {
            article.card.widget data-event=(event.id) {
                div.thumb { (poster(&event.id, 3, 3)) }
                div.card-text {
                    p.when { (when(text, event)) }
                    h1 { (event.title) }
                    p.where { (where_in_one_line(text, event)) }
                    p.price { (price_from(text, event)) " " (sale_mark(view, event)) }
                    p { a.button href=(urls::Event { event_id: &event.id }) target="_blank" rel="noopener" { (action) } }
                }
            }
        }
    }

    #[cfg(test)]
    fn samples() -> Vec<Self> {
        let event = super::sample();
        vec![Self { event: Event { finished: true, ..event.clone() } }, Self { event }]
    }
}
