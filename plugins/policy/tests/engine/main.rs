//! The engine from outside: driven as a proxy would, without any host.

mod cases;
mod minting;
mod reload;
mod remembered;
