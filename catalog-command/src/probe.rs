//! Tells load balancers whether writes can be accepted: as long as Postgres answers, once the broker has
//! been reached. A broker that goes away later keeps nobody from writing, as events wait in the log; one that
//! was never reached is a wrong address or password, which should be seen before anybody writes.

use std::time::Duration;

use async_nats::connection::State;
use service_kit::{Health, Readiness};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::store::{Clock, within};

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// While the service is not ready, somebody waits for it.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// How often in a row Postgres does not answer before that counts: a restart of a pool is none.
const SILENT_LOOKS: u32 = 2;
const NO_DATABASE: &str = "Postgres does not answer";
const NO_BROKER: &str = "NATS was not reached yet: see CATALOG_COMMAND_NATS_URL and its password";

pub(crate) struct Probe {
    pool: PgPool,
    clock: Clock,
    nats: async_nats::Client,
    pub(crate) readiness: Readiness,
    pub(crate) health: Health,
}

impl Probe {
    /// Not ready before the first look.
    pub(crate) fn new(
        pool: PgPool,
        clock: Clock,
        nats: async_nats::Client,
        health: Health,
    ) -> Self {
        let readiness = Readiness::default();
        readiness.set_not_ready(NO_BROKER);
        Self {
            pool,
            clock,
            nats,
            readiness,
            health,
        }
    }

    pub(crate) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        stop.run_until_cancelled(self.look_for_ever()).await;
        Ok(())
    }

    /// Never ends.
    async fn look_for_ever(&self) {
        let (mut reached_broker, mut silent) = (false, 0);
        let mut told = None;
        loop {
            reached_broker |= self.nats.connection_state() == State::Connected;
            let answers = self.ask_database().await;
            silent = if answers { 0 } else { silent + 1 };
            let why_not = if silent >= SILENT_LOOKS {
                Some(NO_DATABASE)
            } else {
                (!reached_broker).then_some(NO_BROKER)
            };
            if told != Some(why_not) {
                self.tell(why_not).await;
                told = Some(why_not);
            }
            let pause = why_not.map_or(LOOK_EVERY, |_| LOOK_AGAIN);
            tokio::time::sleep(pause).await;
        }
    }

    async fn ask_database(&self) -> bool {
        // It is asked for the time, which the writers go by.
        let asked = Box::pin(self.clock.look(&self.pool));
        within(ANSWER_MAX, asked).await.is_ok()
    }

    async fn tell(&self, why_not: Option<&'static str>) {
        match why_not {
            Some(why) => {
                tracing::warn!("not ready: {why}");
                self.readiness.set_not_ready(why);
                self.health.set_not_serving().await;
            }
            None => {
                self.readiness.set_ready();
                self.health.set_serving().await;
            }
        }
    }
}
