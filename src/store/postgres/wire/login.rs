//! The begin of a connection: TLS, and who we are. A password is sent only as a proof that it is
//! known (SCRAM), or through encryption that only the right server can read, or on the same machine.

use std::time::Instant;

use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::backend::{
    AUTHENTICATION_TAG, BACKEND_KEY_DATA_TAG, ERROR_RESPONSE_TAG, READY_FOR_QUERY_TAG,
};
use postgres_protocol::message::frontend;
use zeroize::Zeroize as _;

use super::channel::{Channel, broken};
use super::failure::{Failure, Refusal, lost};
use super::fields::Fields;
use super::socket::Socket;
use crate::store::postgres::target::{Address, Host, Target, TlsMode};

/// A connection that is logged in, and the state that the server said.
pub(super) fn open(
    target: &Target,
    host: &Host,
    deadline: Instant,
) -> Result<(Channel, u8), Failure> {
    let (mut channel, private) = connect(target, host, deadline)?;
    let parameters = [
        ("user", target.user.as_str()),
        ("database", target.name.as_str()),
        ("client_encoding", "UTF8"),
        ("application_name", "lictor"),
    ];
    frontend::startup_message(parameters, &mut channel.output).map_err(broken)?;
    channel.send().map_err(broken)?;
    let mut login = Login { channel, host, private };
    login.authenticate()?;
    let status = login.ready()?;
    Ok((login.channel, status))
}

/// The channel, and whether a password may be sent through it as it is.
fn connect(target: &Target, host: &Host, deadline: Instant) -> Result<(Channel, bool), Failure> {
    let name = match &host.address {
        Address::Unix(folder) => {
            let socket = Socket::unix(folder, host.port, deadline).map_err(broken)?;
            return Ok((Channel::plain(socket), true));
        }
        Address::Tcp(name) => name,
    };
    let socket = Socket::tcp(name, host.port, deadline).map_err(broken)?;
    if target.tls != TlsMode::Disable {
        return Err(lost("TLS is not built yet"));
    }
    Ok((Channel::plain(socket), false))
}

/// What an AuthenticationRequest asks for.
mod request {
    pub(super) const OK: u32 = 0;
    pub(super) const CLEARTEXT: u32 = 3;
    pub(super) const MD5: u32 = 5;
    pub(super) const SASL: u32 = 10;
    pub(super) const SASL_CONTINUE: u32 = 11;
    pub(super) const SASL_FINAL: u32 = 12;
}

struct Login<'a> {
    channel: Channel,
    host: &'a Host,
    /// Nobody but the right server can read what is sent.
    private: bool,
}

impl Login<'_> {
    fn authenticate(&mut self) -> Result<(), Failure> {
        let (kind, data) = self.request()?;
        match kind {
            request::OK => return Ok(()),
            request::CLEARTEXT => self.cleartext()?,
            request::SASL => self.scram(&data)?,
            request::MD5 => {
                return Err(lost(
                    "the server asks for the password with MD5, which is not safe; set \
                     password_encryption to scram-sha-256 there, set the password again, and write \
                     scram-sha-256 in pg_hba.conf",
                ));
            }
            other => {
                return Err(lost(format!(
                    "the server asks for a kind of login that lictor does not know ({other}); \
                     write scram-sha-256 in pg_hba.conf"
                )));
            }
        }
        match self.request()? {
            (request::OK, _) => Ok(()),
            _ => Err(lost("the server asks for a second login")),
        }
    }

    /// The next AuthenticationRequest: its kind, and its data.
    fn request(&mut self) -> Result<(u32, Vec<u8>), Failure> {
        let message = self.channel.receive()?;
        match message.tag {
            AUTHENTICATION_TAG => {
                let mut fields = Fields::new(message.body);
                Ok((fields.u32()?, fields.rest().to_vec()))
            }
            ERROR_RESPONSE_TAG => Err(refused(message.body)),
            other => Err(out_of_place(other)),
        }
    }

    fn password(&self) -> Result<&str, Failure> {
        let password = self.host.password.as_ref();
        password.map(|password| password.as_str()).ok_or_else(|| {
            lost("the server asks for a password; write it in the URL, in PGPASSWORD or in PGPASSFILE")
        })
    }

    fn cleartext(&mut self) -> Result<(), Failure> {
        if !self.private {
            return Err(lost(
                "the server asks for the password as it is, and the connection is not safe for \
                 that; write scram-sha-256 in pg_hba.conf, or use sslmode=verify-full",
            ));
        }
        let password = self.password()?.to_owned();
        let mut password = zeroize::Zeroizing::new(password).as_bytes().to_vec();
        let written = frontend::password_message(&password, &mut self.channel.output);
        password.zeroize();
        written.map_err(broken)?;
        self.channel.send().map_err(broken)
    }

    fn scram(&mut self, mechanisms: &[u8]) -> Result<(), Failure> {
        let mut offered = Fields::new(mechanisms);
        let mut known = false;
        loop {
            let name = offered.until_zero()?;
            if name.is_empty() {
                break;
            }
            known |= name == SCRAM_SHA_256.as_bytes();
        }
        if !known {
            return Err(lost("the server does not offer SCRAM-SHA-256"));
        }
        let mut scram =
            ScramSha256::new(self.password()?.as_bytes(), ChannelBinding::unsupported());
        let out = &mut self.channel.output;
        frontend::sasl_initial_response(SCRAM_SHA_256, scram.message(), out).map_err(broken)?;
        self.channel.send().map_err(broken)?;
        let first = self.sasl(request::SASL_CONTINUE)?;
        scram.update(&first).map_err(broken)?;
        frontend::sasl_response(scram.message(), &mut self.channel.output).map_err(broken)?;
        self.channel.send().map_err(broken)?;
        let last = self.sasl(request::SASL_FINAL)?;
        scram.finish(&last).map_err(broken)
    }

    /// The next message of SCRAM, which must be of this kind.
    fn sasl(&mut self, expected: u32) -> Result<Vec<u8>, Failure> {
        match self.request()? {
            (kind, data) if kind == expected => Ok(data),
            _ => Err(lost("the server did not finish the login")),
        }
    }

    /// Waits until the server is ready; returns the state that it says.
    fn ready(&mut self) -> Result<u8, Failure> {
        loop {
            let message = self.channel.receive()?;
            match message.tag {
                BACKEND_KEY_DATA_TAG => {}
                READY_FOR_QUERY_TAG => return Fields::new(message.body).byte(),
                ERROR_RESPONSE_TAG => return Err(refused(message.body)),
                other => return Err(out_of_place(other)),
            }
        }
    }
}

/// An error that ends the login.
fn refused(body: &[u8]) -> Failure {
    match Refusal::read(body) {
        Ok(refusal) => Failure::Refused(Refusal { fatal: true, ..refusal }),
        Err(failure) => failure,
    }
}

fn out_of_place(tag: u8) -> Failure {
    lost(format!("the server sent a message that does not belong to a login: {tag:#04x}"))
}
