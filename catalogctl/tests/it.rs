//! Journeys through all services: real processes, a real broker and database, real kill -9.

#[path = "it/support.rs"]
mod support;
#[path = "it/journey.rs"]
mod journey;
#[path = "it/tidy.rs"]
mod tidy;
#[path = "it/kill.rs"]
mod kill;
#[path = "it/chaos.rs"]
mod chaos;
#[path = "it/verify.rs"]
mod verify;
