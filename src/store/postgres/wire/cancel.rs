//! Asks a server to give up what one of its processes does, by the protocol's CancelRequest.

use std::fmt;
use std::time::Instant;

use postgres_protocol::message::frontend;

use super::channel::broken;
use super::failure::{Failure, lost};
use super::login::{self, BackendKey};
use crate::store::postgres::target::{Host, Target};

/// Asks for one connection.
#[derive(Clone, Copy)]
pub(in crate::store::postgres) struct Cancel(pub(super) BackendKey);

impl Cancel {
    /// Asks the server, over a connection of its own, with TLS if the target has it. The server
    /// answers by closing that connection; it does not say whether there was anything to cancel.
    pub(in crate::store::postgres) fn send(
        self,
        target: &Target,
        host: &Host,
        deadline: Instant,
    ) -> Result<(), Failure> {
        let (mut channel, _) = login::connect(target, host, deadline)?;
        channel.begin(deadline);
        frontend::cancel_request(self.0.process, self.0.secret, &mut channel.output);
        channel.send().map_err(broken)?;
        let answer = channel.receive().map(|_| ());
        match answer {
            Err(failure) if channel.timed_out => Err(failure),
            Err(_) => Ok(()),
            Ok(_) => Err(lost("the server answered a CancelRequest")),
        }
    }
}

impl fmt::Debug for Cancel {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.0.process)
    }
}
