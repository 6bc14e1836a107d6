//! A gateway that runs already, as flags and variables name it.

use secrecy::SecretString;

use crate::catalog::stays_here;
use crate::clock::Clock;
use crate::config::{self, Environment};
use crate::relay::Remote;

use super::args::Global;
use super::exit::{Exit, Trouble};

/// The gateway at this URL, which the flag or variable `name` holds.
pub fn remote(name: &str, url: &str, global: &Global, environment: &Environment) -> Result<Remote, Trouble> {
    if (global.offline || environment.is_on("RELAY_OFFLINE")) && !stays_here(url) {
        let message = format!("nothing may leave this machine, and the gateway of {name} is not on it");
        return Err(Trouble::new(Exit::Unavailable, message));
    }
    let key = environment.get("RELAY_API_KEY").map(SecretString::from);
    let network = config::network(environment).map_err(|problems| Trouble::of_problems(&problems))?;
    Remote::new(url, key, &network, Clock::system())
        .map_err(|wrong| Trouble::new(Exit::Usage, format!("the URL of {name} {wrong}")).hint("http://127.0.0.1:8000"))
}
