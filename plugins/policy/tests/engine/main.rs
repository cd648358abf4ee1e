//! The engine from outside: driven as a proxy would, without any host.

mod cases;
mod driver;
mod header_mutation;
mod minting;
mod reload;
mod remembered;
