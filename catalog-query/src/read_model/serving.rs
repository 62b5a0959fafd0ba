//! Tells whether the read model answers readers.

use tokio::sync::watch;

/// Whether readers are answered. Once true it stays so.
#[derive(Clone)]
pub(crate) struct Serving(watch::Sender<bool>);

impl Serving {
    pub(crate) fn new(serving: bool) -> Self {
        Self(watch::Sender::new(serving))
    }

    pub(crate) fn is_on(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until readers are answered.
    pub(crate) async fn wait(&self) {
        // Fails only when the sender is gone, and that is `self`.
        let _ = self.0.subscribe().wait_for(|serving| *serving).await;
    }

    /// Lets readers be answered from now on.
    pub(crate) fn begin(&self) {
        self.0.send_replace(true);
    }
}
