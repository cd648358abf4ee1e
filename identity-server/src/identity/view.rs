//! An identity as the API shows it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::{Credential, Identity};
use crate::flows::instant;

/// What the identity itself and services behind it may see.
#[must_use]
pub fn public_json(identity: &Identity, public_url: &str) -> Value {
    Value::Object(common(identity, public_url))
}

/// What an administrator sees: also `metadata_admin`, and the credentials without what they are made of.
#[must_use]
pub fn admin_json(identity: &Identity, credentials: &[Credential], public_url: &str) -> Value {
    let mut view = common(identity, public_url);
    view.insert(
        "metadata_admin".into(),
        identity.metadata_admin.clone().unwrap_or(Value::Null),
    );
    let credentials: Map<String, Value> = credentials
        .iter()
        .map(|credential| {
            (
                credential.kind.name().to_owned(),
                credential_json(credential),
            )
        })
        .collect();
    view.insert("credentials".into(), Value::Object(credentials));
    Value::Object(view)
}

/// Where the schema with this id is served. The id is base64url, because it may be any text.
fn schema_url(schema_id: &str, public_url: &str) -> String {
    format!(
        "{}/schemas/{}",
        public_url.trim_end_matches('/'),
        URL_SAFE_NO_PAD.encode(schema_id)
    )
}

fn common(identity: &Identity, public_url: &str) -> Map<String, Value> {
    let mut view = Map::new();
    let mut put = |name: &str, value: Value| view.insert(name.to_owned(), value);
    put("id", identity.id.to_string().into());
    if let Some(external_id) = &identity.external_id {
        put("external_id", external_id.clone().into());
    }
    put("schema_id", identity.schema_id.clone().into());
    put(
        "schema_url",
        schema_url(&identity.schema_id, public_url).into(),
    );
    put("state", identity.state.name().into());
    put(
        "state_changed_at",
        instant::format(identity.state_changed_at).into(),
    );
    put("traits", identity.traits.clone());
    // Verification and recovery come later; clients expect the lists to be there.
    put("verifiable_addresses", json!([]));
    put("recovery_addresses", json!([]));
    put(
        "metadata_public",
        identity.metadata_public.clone().unwrap_or(Value::Null),
    );
    put("created_at", instant::format(identity.created_at).into());
    put("updated_at", instant::format(identity.updated_at).into());
    put("organization_id", Value::Null);
    view
}

fn credential_json(credential: &Credential) -> Value {
    json!({
        "type": credential.kind.name(),
        "identifiers": credential.identifiers,
        "version": 0,
        "created_at": instant::format(credential.created_at),
        "updated_at": instant::format(credential.updated_at),
    })
}
