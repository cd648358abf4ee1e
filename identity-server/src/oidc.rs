//! OpenID Connect on top of OAuth 2.0: ID tokens, userinfo, discovery.
//!
//! Owns no rows: everything follows from a grant of the [`oauth2`](crate::oauth2) room and from the settings.

pub mod claims;
pub mod discovery;
pub mod id_token;
pub mod userinfo;
