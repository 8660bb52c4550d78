//! Posts the event to an address from a slot, and says what it can learn about secrets.

guest::plugin!("notifier-plugin", "post");

use exports::weir::plugin::notifier::{Call, Failure, Guest as Notifier};
use weir::plugin::http::{Auth, Request, send};
use weir::plugin::types::FailureClass;
use weir::plugin::{secrets, tcp};

impl Notifier for Guest {
    fn notify(call: Call, id: String, event: String) -> Result<(), Failure> {
        let settings: serde_json::Value = serde_json::from_str(&call.settings()).unwrap();
        if settings["tcp"].is_string() {
            tcp::connect("example.com:25", false)?;
        }
        let mut headers = vec![("x-id".to_owned(), id)];
        headers.push(("x-keys".to_owned(), secrets::keys("default").join(",")));
        if let Some(key) = settings["secret"].as_str() {
            let value = secrets::get("default", key)?;
            headers.push(("x-secret".to_owned(), String::from_utf8(value).unwrap()));
        }
        let auth = settings["auth"].as_str().map(|scheme| Auth {
            slot: "default".into(),
            scheme: (!scheme.is_empty()).then(|| scheme.to_owned()),
            parameters: vec![],
        });
        if settings["template"] == true {
            headers.push(("x-token".to_owned(), "token {{token}}".to_owned()));
        }
        let response = send(&Request {
            method: "POST".into(),
            url: settings["url"].as_str().unwrap().into(),
            headers,
            body: Some(event.into_bytes()),
            auth,
        })?;
        if response.status == 200 {
            return Ok(());
        }
        let body = String::from_utf8_lossy(&response.body);
        Err(Failure {
            class: FailureClass::Unavailable,
            code: "Refused".into(),
            message: format!("status {}: {body}", response.status),
            retry_after: None,
            positions: vec![],
            detail: None,
        })
    }
}
