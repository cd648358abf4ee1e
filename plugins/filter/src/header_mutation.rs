//! `header-mutation`: headers of requests and responses, changed as its configuration says.
//!
//! What is to be changed is decided in [`gatepost_policy::header_mutation`]; this reads the headers,
//! asks the host what templates name, and carries the changes out.

mod config;
mod http;

use std::{cell::Cell, rc::Rc};

use gatepost_policy::header_mutation::HeaderMutation;
use proxy_wasm::{
    traits::{Context, HttpContext, RootContext},
    types::ContextType,
};

use crate::host;

use self::{config::Settings, http::Http};

/// The plugin as a whole.
#[derive(Default)]
pub(crate) struct Root {
    shared: Option<Rc<Shared>>,
}

/// What all exchanges of one configuration share.
struct Shared {
    plan: HeaderMutation,
    clear_route_cache: bool,
    counters: Counters,
    /// How many bytes of requests are kept until their responses come.
    kept_bytes: Rc<Cell<usize>>,
}

/// Metrics of what should not happen: what goes well costs no call for them.
#[derive(Default)]
struct Counters {
    refused: Option<u32>,
    skipped: Option<u32>,
}

impl Counters {
    fn define() -> Self {
        let counter = |name| host::define_metric(host::MetricType::Counter, name);
        Self {
            refused: counter("gatepost.header_mutation.refused"),
            skipped: counter("gatepost.header_mutation.skipped"),
        }
    }
}

fn count(counter: Option<u32>) {
    if let Some(counter) = counter {
        host::increment_metric(counter);
    }
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, size: usize) -> bool {
        match config::read(&host::configuration(size)) {
            Ok(Settings {
                plan,
                metrics,
                clear_route_cache,
            }) => {
                let counters = if metrics {
                    Counters::define()
                } else {
                    Counters::default()
                };
                // Exchanges under way keep the configuration under which they began.
                self.shared = Some(Rc::new(Shared {
                    plan,
                    clear_route_cache,
                    counters,
                    kept_bytes: Rc::default(),
                }));
                true
            }
            Err(errors) => {
                for error in errors {
                    host::log_error(&format!("configuration refused: {error}"));
                }
                false
            }
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Http::new(self.shared.clone())))
    }
}
