//! What a client of OpenAPI Generator does from the registration to the logout. check.py compares the
//! requests.

use lictor_client::apis::configuration::Configuration;
use lictor_client::apis::{self, account_api, login_api};
use lictor_client::models::{AccessToken, Credentials, Error, NewUser, Session};

const PASSWORD: &str = "ten wooden lanterns";

fn main() {
    let anybody = Configuration { base_path: url(), ..Configuration::new() };
    let user = NewUser::new("ada".into(), PASSWORD.into());
    let first = login_api::register(&anybody, user).unwrap().access_token;

    let wrong =
        login_api::login(&anybody, Credentials::new("ada".into(), "ten wooden lamps".into()));
    refused(wrong, 401, "AuthenticationError");

    let ada = Credentials::new("ada".into(), PASSWORD.into());
    let AccessToken { access_token: old, .. } = login_api::login(&anybody, ada).unwrap();
    let client = as_user(login_api::refresh(&anybody, Some(&old)).unwrap().access_token);

    let sessions: Vec<Session> = account_api::list_sessions(&client).unwrap().sessions;
    assert_eq!(sessions.len(), 2);
    let other = sessions.iter().find(|session| !session.current).unwrap();
    let (created, expires, seen): (i64, i64, Option<i64>) =
        (other.created, other.expires, other.seen);
    assert!(expires > created && seen.is_none());
    let _: String = account_api::end_session(&client, &other.id).unwrap().message;
    refused(account_api::list_sessions(&as_user(first)), 403, "BlacklistedError");

    account_api::log_out(&client).unwrap();
    refused(account_api::list_sessions(&client), 403, "BlacklistedError");
}

fn url() -> String {
    std::env::var("LICTOR_URL").unwrap()
}

fn as_user(token: String) -> Configuration {
    Configuration { base_path: url(), bearer_access_token: Some(token), ..Configuration::new() }
}

/// The generator's own enum of errors takes the first variant for every status: all have the same form. So
/// the status is that of the answer, and the error is read from its body.
fn refused<T: std::fmt::Debug, E: std::fmt::Debug>(
    answer: Result<T, apis::Error<E>>,
    status: u16,
    name: &str,
) {
    let Err(apis::Error::ResponseError(refused)) = answer else { panic!("{answer:?}") };
    let error: Error = serde_json::from_str(&refused.content).unwrap();
    assert_eq!((error.error.as_str(), error.status_code), (name, i64::from(status)));
    assert_eq!(refused.status.as_u16(), status);
    assert!(refused.entity.is_some(), "the generated enum has no variant for {}", refused.content);
}
