//! The begin of a connection: TLS, and who we are. A password is sent only as a proof that it is
//! known (SCRAM), or through encryption that only the right server can read, or on the same machine.

use std::io::{self, Read as _, Write as _};
use std::time::Instant;

use bytes::BytesMut;
use postgres_protocol::authentication::sasl::{
    ChannelBinding, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramSha256,
};
use postgres_protocol::message::backend::{
    AUTHENTICATION_TAG, BACKEND_KEY_DATA_TAG, ERROR_RESPONSE_TAG, READY_FOR_QUERY_TAG,
};
use postgres_protocol::message::frontend;
use zeroize::Zeroize as _;

use super::channel::{Channel, broken};
use super::failure::{Failure, Refusal, lost};
use super::fields::Fields;
use super::socket::Socket;
use crate::error::Cause;
use crate::store::postgres::target::{Address, Host, Target, TlsMode};
use crate::tls::{Check, Trust};

/// How often a password is hashed at least, before the proof is made of it (RFC 7677). A server that
/// asks for less could be another one, that wants to guess the password by the proof.
const MIN_ITERATIONS: u32 = 4_096;
/// At most: more would be work that a stranger can ask for. postgres-protocol has the same limit.
const MAX_ITERATIONS: u32 = 100_000;

/// A connection that is logged in.
pub(super) struct Begun {
    pub(super) channel: Channel,
    /// The state that the server said.
    pub(super) status: u8,
    /// `None` if the server sent none; PostgreSQL always does.
    pub(super) key: Option<BackendKey>,
}

/// A BackendKeyData: the server's process behind a connection, and the proof that the connection is
/// ours.
#[derive(Clone, Copy)]
pub(super) struct BackendKey {
    pub(super) process: i32,
    pub(super) secret: i32,
}

/// Connects, and logs in.
pub(super) fn open(target: &Target, host: &Host, deadline: Instant) -> Result<Begun, Failure> {
    let (mut channel, private) = connect(target, host, deadline)?;
    channel.begin(deadline);
    let parameters = [
        ("user", target.user.as_str()),
        ("database", target.name.as_str()),
        ("client_encoding", "UTF8"),
        ("application_name", "lictor"),
    ];
    frontend::startup_message(parameters, &mut channel.output).map_err(broken)?;
    channel.send().map_err(broken)?;
    let mut login = Login { channel, host, private, must_bind: target.must_bind, key: None };
    login.authenticate()?;
    let status = login.ready()?;
    Ok(Begun { channel: login.channel, status, key: login.key })
}

/// The channel, and whether a password may be sent through it as it is.
pub(super) fn connect(
    target: &Target,
    host: &Host,
    deadline: Instant,
) -> Result<(Channel, bool), Failure> {
    let name = match &host.address {
        Address::Unix(folder) => {
            let socket = Socket::unix(folder, host.port, deadline).map_err(broken)?;
            return Ok((Channel::plain(socket), true));
        }
        Address::Tcp(name) => name,
    };
    let authorities = target.root_certificates.as_deref();
    let check = match target.tls {
        TlsMode::Disable => None,
        // As libpq does: a file with authorities is there to be used.
        TlsMode::Require if authorities.is_some() => Some(Check::Authority),
        TlsMode::Require => Some(Check::Nothing),
        TlsMode::VerifyCa => Some(Check::Authority),
        TlsMode::VerifyFull => Some(Check::Host),
    };
    let Some(check) = check else {
        let socket = Socket::tcp(name, host.port, deadline).map_err(broken)?;
        return Ok((Channel::plain(socket), false));
    };
    let trust = Trust::of_a_database(name, check, authorities)
        .map_err(|problem| lost(format!("TLS: {}; {}", problem.what, problem.next)))?;
    let mut socket = Socket::tcp(name, host.port, deadline).map_err(broken)?;
    ask_for_tls(&mut socket)?;
    // An authority of the system has issued certificates for servers of everybody.
    let private = check == Check::Host || check == Check::Authority && authorities.is_some();
    Ok((Channel::encrypted(socket, &trust)?, private))
}

/// Asks the server for TLS. Exactly one byte is read: what else has come before the handshake is
/// read as a part of it, and so refused (CVE-2021-23222).
fn ask_for_tls(socket: &mut Socket) -> Result<(), Failure> {
    let mut request = BytesMut::new();
    frontend::ssl_request(&mut request);
    socket.write_all(&request).map_err(broken)?;
    let mut answer = [0];
    socket.read_exact(&mut answer).map_err(broken)?;
    match answer {
        [b'S'] => Ok(()),
        [b'N'] => Err(lost(
            "TLS: the server does not offer it; turn it on there (ssl = on), or write \
             sslmode=disable to do without encryption",
        )),
        // Anybody between could write the text of such an error, so it is not shown (CVE-2024-10977).
        [b'E'] => Err(lost("TLS: the server refused the connection before encryption")),
        _ => Err(lost("TLS: this is not a PostgreSQL server")),
    }
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
    /// Only a login that is bound to the TLS connection will do.
    must_bind: bool,
    key: Option<BackendKey>,
}

impl Login<'_> {
    fn authenticate(&mut self) -> Result<(), Failure> {
        let (kind, data) = self.request()?;
        if self.must_bind && kind != request::SASL {
            return Err(unbound("it asks for no such login"));
        }
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
        let password = self.password()?.as_bytes();
        let mut message = BytesMut::with_capacity(password.len() + 16);
        frontend::password_message(password, &mut message).map_err(broken)?;
        let sent = self.channel.send_apart(&message);
        message.zeroize();
        sent.map_err(broken)
    }

    /// SCRAM-SHA-256, bound to the TLS connection if there is one.
    fn scram(&mut self, mechanisms: &[u8]) -> Result<(), Failure> {
        let (mechanism, binding) = self.mechanism(Offer::read(mechanisms)?)?;
        let mut scram = ScramSha256::new(self.password()?.as_bytes(), binding);
        let out = &mut self.channel.output;
        frontend::sasl_initial_response(mechanism, scram.message(), out).map_err(broken)?;
        self.channel.send().map_err(broken)?;
        let first = self.sasl(request::SASL_CONTINUE)?;
        check_iterations(&first)?;
        scram.update(&first).map_err(not_the_server)?;
        frontend::sasl_response(scram.message(), &mut self.channel.output).map_err(broken)?;
        self.channel.send().map_err(broken)?;
        let last = self.sasl(request::SASL_FINAL)?;
        scram.finish(&last).map_err(not_the_server)
    }

    /// The mechanism, and what it says about the TLS connection. The server compares that with what
    /// it has offered, so it notices if somebody between has changed the offer.
    fn mechanism(&self, offer: Offer) -> Result<(&'static str, ChannelBinding), Failure> {
        if offer.bound && !self.channel.is_encrypted() {
            return Err(lost("the server offers SCRAM-SHA-256-PLUS without TLS"));
        }
        match self.channel.binding() {
            Some(hash) if offer.bound => {
                Ok((SCRAM_SHA_256_PLUS, ChannelBinding::tls_server_end_point(hash)))
            }
            _ if self.must_bind && !offer.bound => {
                Err(unbound("it does not offer SCRAM-SHA-256-PLUS"))
            }
            _ if self.must_bind => Err(unbound("its certificate has no hash for that")),
            _ if !offer.plain => Err(lost("the server does not offer SCRAM-SHA-256")),
            Some(_) => Ok((SCRAM_SHA_256, ChannelBinding::unrequested())),
            None => Ok((SCRAM_SHA_256, ChannelBinding::unsupported())),
        }
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
                BACKEND_KEY_DATA_TAG => {
                    let mut fields = Fields::new(message.body);
                    self.key = Some(BackendKey { process: fields.i32()?, secret: fields.i32()? });
                    fields.end()?;
                }
                READY_FOR_QUERY_TAG => return Fields::new(message.body).byte(),
                ERROR_RESPONSE_TAG => return Err(refused(message.body)),
                other => return Err(out_of_place(other)),
            }
        }
    }
}

/// The mechanisms that a server offers.
#[derive(Debug, Clone, Copy, Default)]
struct Offer {
    /// SCRAM-SHA-256
    plain: bool,
    /// SCRAM-SHA-256-PLUS
    bound: bool,
}

impl Offer {
    fn read(mechanisms: &[u8]) -> Result<Offer, Failure> {
        let mut fields = Fields::new(mechanisms);
        let mut offer = Offer::default();
        loop {
            let name = fields.until_zero()?;
            if name.is_empty() {
                fields.end()?;
                return Ok(offer);
            }
            offer.plain |= name == SCRAM_SHA_256.as_bytes();
            offer.bound |= name == SCRAM_SHA_256_PLUS.as_bytes();
        }
    }
}

/// Checks how often the server wants the password to be hashed, before that is done.
fn check_iterations(message: &[u8]) -> Result<(), Failure> {
    let mut attributes = message.split(|&byte| byte == b',');
    let count = attributes.find_map(|attribute| attribute.strip_prefix(b"i="));
    let count = count.and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u64>().ok());
    let range = u64::from(MIN_ITERATIONS)..=u64::from(MAX_ITERATIONS);
    match count {
        Some(count) if range.contains(&count) => Ok(()),
        Some(count) => Err(lost(format!(
            "the server asks for {count} iterations of SCRAM; lictor allows {MIN_ITERATIONS} to \
             {MAX_ITERATIONS} (set scram_iterations there, and the password again)"
        ))),
        None => Err(lost("the server says no number of iterations of SCRAM")),
    }
}

/// The server failed to prove that it knows the password, or SCRAM was not followed.
fn not_the_server(error: io::Error) -> Failure {
    Failure::Lost(Cause::new(format!("the server failed at SCRAM: {error}"), error))
}

fn unbound(why: &str) -> Failure {
    lost(format!(
        "the server's login is not bound to the TLS connection, as channel_binding=require \
         demands: {why}"
    ))
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
