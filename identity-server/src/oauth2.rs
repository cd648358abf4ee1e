//! OAuth 2.0: clients, the authorization and token endpoints, and everything that is issued.
//!
//! Owns clients, authorization requests under way ([`flow`]), grants and their codes and tokens ([`tokens`]). Does not
//! know passwords or pages: a login page learns through [`interaction`] who asks for what and says who has signed in.
//! Does not sign: claims go to the keys room and come back as tokens. What is particular to OpenID Connect (ID tokens,
//! userinfo, discovery) is next door in [`oidc`](crate::oidc).
//!
//! Protections that are the point of this room, and where they live: redirect URIs compare exactly
//! ([`redirect_uri`]); PKCE with S256 ([`pkce`]); codes and refresh tokens work once, and a second attempt revokes the
//! family ([`grant`]); parameters never repeat ([`params`]); clients authenticate in one place ([`client_auth`]).

pub mod authorize;
pub mod client;
pub mod client_auth;
pub mod error;
pub mod flow;
pub mod grant;
pub mod interaction;
pub mod introspect;
pub mod params;
pub mod pkce;
pub mod redirect_uri;
pub mod revoke;
pub mod scope;
pub mod sessions;
pub mod store;
pub mod subject;
pub mod token;
pub mod tokens;
