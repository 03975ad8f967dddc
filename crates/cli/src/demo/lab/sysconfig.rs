//! System Configuration of the practice site: three tabs, two buttons, in lines.

use crate::demo::Site;
use crate::demo::activation::Activation;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, Write};
use std::path::PathBuf;

const FIELDS: [&str; 4] = ["serial", "customer_number", "user_key", "product_key"];

/// Reads words from standard input, a line each, and answers on standard output.
#[derive(clap::Args, Debug)]
pub(crate) struct Sysconfig {
    /// The practice site
    dir: PathBuf,
}

impl Sysconfig {
    /// Runs until `quit` or the end of input.
    ///
    /// # Errors
    /// The site cannot be read or written.
    pub(crate) fn run(&self) -> io::Result<()> {
        let site = Site::open(&self.dir)?;
        let mut out = io::stdout().lock();
        let mut fields: Option<BTreeMap<&str, String>> = None;
        writeln!(out, "PRACTICE  System Configuration. Tabs: main, modules, registration. Buttons: edit, activate, quit.")?;
        for line in io::stdin().lock().lines() {
            let line = line?;
            let (word, value) = line.trim().split_once('=').unwrap_or((line.trim(), ""));
            match word {
                "" => {}
                "main" => writeln!(out, "Practice client, Sage 100 Advanced, PRACTICE")?,
                "modules" => writeln!(out, "Number of registered users: {}", Activation::read(&site.activation())?.seats)?,
                "registration" => writeln!(out, "Serial number {}", Activation::read(&site.activation())?.serial)?,
                "edit" => {
                    fields = Some(BTreeMap::new());
                    writeln!(out, "The fields can be changed: {}; as FIELD=VALUE", FIELDS.join(", "))?;
                }
                "activate" => match made_of(fields.as_ref()) {
                    Some(made) => {
                        fs::write(site.activation(), made.bytes())?;
                        fields = None;
                        writeln!(out, "Registration accepted: {} users", made.seats)?;
                    }
                    None => writeln!(out, "Registration rejected: these are no keys of the lab")?,
                },
                "quit" => break,
                field => match (FIELDS.into_iter().find(|known| *known == field), fields.as_mut()) {
                    (Some(field), Some(fields)) => drop(fields.insert(field, value.to_owned())),
                    (Some(_), None) => writeln!(out, "Click edit first")?,
                    (None, _) => writeln!(out, "There is no `{field}` here")?,
                },
            }
            out.flush()?;
        }
        Ok(())
    }
}

fn made_of(fields: Option<&BTreeMap<&str, String>>) -> Option<Activation> {
    let fields = fields.filter(|fields| FIELDS.iter().all(|field| fields.get(field).is_some_and(|value| !value.is_empty())))?;
    Activation::of_keys(&fields["serial"], &fields["user_key"])
}
