//! The cases of `header-mutation`, played natively.

use std::path::Path;

use anyhow::{Context as _, bail};
use gatepost_cases::{Case, Door, Outcome, RequestSpec, ResponseSpec, Script};
use gatepost_policy::{
    Headers,
    header_mutation::{Edit, Exchange, HeaderMutation, Needs, Told},
};

#[derive(Default)]
struct Native {
    plan: Option<HeaderMutation>,
    exchange: Option<Exchange>,
}

type Fields = Vec<(String, Vec<u8>)>;

impl Door for Native {
    fn module(&self) -> &str {
        "header-mutation"
    }

    fn load(&mut self, case: &Case) -> Result<(), Vec<String>> {
        self.exchange = None;
        let config = case.header_mutation.clone().unwrap_or_default();
        let plan = HeaderMutation::compile(&config, &[])
            .map_err(|errors| errors.0.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        self.plan = Some(plan);
        Ok(())
    }

    fn send(
        &mut self,
        _: u64,
        request: &RequestSpec,
        script: &mut Script<'_>,
    ) -> anyhow::Result<Outcome> {
        let plan = self.plan.as_ref().context("nothing is loaded")?;
        let fields = request.fields()?;
        let headers: Headers = fields.iter().cloned().collect();
        let mut fields: Fields = fields
            .into_iter()
            .map(|(name, value)| (name, value.into_bytes()))
            .collect();
        let mut status = 200;
        let begun = plan.begin(&headers).and_then(|mut exchange| {
            let told = told(&plan.request_needs(&exchange), script);
            let outcome = plan.on_request(&mut exchange, &headers, &told)?;
            Ok((exchange, outcome))
        });
        match begun {
            Ok((exchange, outcome)) => {
                edit(&mut fields, &outcome.edits);
                self.exchange = Some(exchange);
            }
            Err(refusal) => {
                println!("{refusal}");
                status = refusal.status();
                fields = Fields::new();
            }
        }
        Ok(Outcome {
            status,
            rule: None,
            stage: None,
            reason: None,
            headers: fields,
            body: Vec::new(),
        })
    }

    fn respond(&mut self, response: &ResponseSpec, script: &Script<'_>) -> anyhow::Result<Fields> {
        let plan = self.plan.as_ref().context("nothing is loaded")?;
        let exchange = match (self.exchange.take(), response.early) {
            (Some(exchange), false) => exchange,
            (None, true) => plan.begin_at_response(),
            _ => bail!("the request was refused"),
        };
        let mut fields = vec![(
            ":status".to_owned(),
            response.status.to_string().into_bytes(),
        )];
        let sent = response.headers.iter().cloned();
        fields.extend(sent.map(|(name, value)| (name, value.into_bytes())));
        let headers: Headers = fields.iter().cloned().collect();
        let told = told(&plan.response_needs(&exchange), script);
        edit(
            &mut fields,
            &plan.on_response(&exchange, &headers, &told).edits,
        );
        Ok(fields)
    }
}

/// Only what is asked for.
fn told(needs: &Needs, script: &Script<'_>) -> Told {
    let exchange = script.exchange;
    let is_there = !exchange.metadata.is_empty();
    Told {
        metadata: (needs.metadata && is_there)
            .then(|| gatepost_cases::metadata(&exchange.metadata)),
        attributes: needs
            .attributes
            .iter()
            .filter_map(|attribute| {
                let value = exchange.attributes.get(attribute.name)?;
                Some((*attribute, gatepost_cases::attribute(value)))
            })
            .collect(),
    }
}

fn edit(fields: &mut Fields, edits: &[Edit]) {
    let name_of = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
    for edit in edits {
        match edit {
            Edit::Remove(name) | Edit::Replace(name, _) => {
                fields.retain(|(it, _)| !it.as_bytes().eq_ignore_ascii_case(name));
            }
            Edit::Add(..) => {}
        }
        if let Edit::Replace(name, value) | Edit::Add(name, value) = edit {
            fields.push((name_of(name), value.clone()));
        }
    }
}

#[test]
fn every_case_ends_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let played = gatepost_cases::play(&folder, &mut Native::default())
        .unwrap_or_else(|failures| panic!("{failures:#}"));
    println!("{played} cases");
}
