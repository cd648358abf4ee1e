//! The corpus of policy cases, decided at the decision endpoint for every proxy that asks it: nginx, Caddy,
//! Traefik, and Envoy's `ext_authz` over HTTP and over gRPC.
//!
//! Each proxy runs once, by the configuration that is shipped, but for its ports and the names of headers.
//! The endpoint lives in this process, so that each case has its own rules, its own moment and its own
//! answers to calls. What is listed in `docs/proxies.md` ends differently; nothing else may, and nothing
//! that a case refuses may ever reach the upstream.

mod asked;
mod behaviour;
mod caddy;
mod corpus;
mod differences;
mod door;
mod envoy;
mod nginx;
mod places;
mod traefik;

use self::corpus::play;

#[test]
fn every_case_through_ext_authz_over_grpc_is_decided_as_written() {
    play(&envoy::Grpc);
}

#[test]
fn every_case_through_ext_authz_over_http_is_decided_as_written() {
    play(&envoy::Http);
}

#[test]
fn every_case_through_nginx_is_decided_as_written() {
    play(&nginx::Nginx("auth-request"));
}

#[test]
fn every_case_through_caddy_is_decided_as_written() {
    play(&caddy::Caddy);
}

#[test]
fn every_case_through_traefik_is_decided_as_written() {
    play(&traefik::Traefik);
}
