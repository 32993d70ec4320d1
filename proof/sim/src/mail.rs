//! A mail server that may refuse, and couriers that bring it the mails.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::notification::{Mail, MailError, Mailer, Sending};
use kit::Metrics;
use notification::{Courier, Figures, NotificationMachine};

use crate::{
    faults::{Fault, Faults, Marker},
    node::{Node, REPLICAS, Service, poll},
    world::World,
};

/// What the mail server has taken.
#[derive(Default)]
struct Post {
    /// How often each mail was taken, and to which address.
    taken: BTreeMap<String, (u32, String)>,
    /// Mails of which the courier may not know that they were taken: a second one is no mistake.
    doubtful: BTreeSet<String>,
    /// Mails that were taken since the courier began its step.
    lately: Vec<String>,
    violations: Vec<String>,
}

/// The simulated mail server.
pub struct SimMailer {
    post: Mutex<Post>,
    faults: Arc<Faults>,
}

impl SimMailer {
    /// A mail server that has taken nothing yet.
    #[must_use]
    pub fn new(faults: Arc<Faults>) -> Self {
        Self { post: Mutex::default(), faults }
    }

    fn post(&self) -> MutexGuard<'_, Post> {
        self.post.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was sent that should not have been.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.post().violations.clone()
    }

    /// How often a mail was taken, and the address it went to last.
    #[must_use]
    pub fn taken(&self, message_id: &str) -> Option<(u32, String)> {
        self.post().taken.get(message_id).cloned()
    }

    /// How many different mails were taken.
    #[must_use]
    pub fn mails(&self) -> usize {
        self.post().taken.len()
    }

    /// A step of a courier has ended; what it sent is in doubt unless all went well.
    fn end_step(&self, went_well: bool) {
        let mut post = self.post();
        let lately = std::mem::take(&mut post.lately);
        if !went_well {
            post.doubtful.extend(lately);
        }
    }
}

impl Mailer for SimMailer {
    fn send(&self, mail: Mail) -> Sending {
        if self.faults.strikes(Fault::MailRefused) {
            return Box::pin(async { Err(MailError::Transient("injected".to_owned())) });
        }
        let mut post = self.post();
        let id = mail.message_id;
        let count = post.taken.get(&id).map_or(0, |(count, _)| *count);
        self.faults.mark(Marker::Mailed);
        if count > 0 {
            self.faults.mark(Marker::MailedAgain);
            if !post.doubtful.contains(&id) {
                post.violations.push(format!("mail {id} left again though it was known to have left"));
            }
        }
        post.taken.insert(id.clone(), (count + 1, mail.to_email));
        post.lately.push(id.clone());
        if self.faults.strikes(Fault::MailLate) {
            post.doubtful.insert(id);
            return Box::pin(async { Err(MailError::Transient("injected: taken".to_owned())) });
        }
        Box::pin(async { Ok(()) })
    }
}

/// A courier in each replica of the notification service, with the machine of the process in which it runs.
pub struct Couriers(Vec<(Arc<NotificationMachine>, Courier)>);

impl Couriers {
    /// Starts them.
    #[must_use]
    pub fn new(node: &Node<NotificationMachine>, mailer: &Arc<SimMailer>) -> Self {
        Self((0..REPLICAS).map(|replica| courier(node, mailer, replica)).collect())
    }
}

fn courier(
    node: &Node<NotificationMachine>,
    mailer: &Arc<SimMailer>,
    replica: usize,
) -> (Arc<NotificationMachine>, Courier) {
    let figures = Figures::new(&Metrics::new(), node.environment(replica).clone());
    let pipeline = node.pipeline(replica).clone();
    let machine = Arc::clone(pipeline.machine());
    (machine, Courier::new(pipeline, mailer.clone(), Arc::new(figures)))
}

impl World {
    /// A courier tries the mails that are due; how many, if it could look.
    pub(crate) fn send_mail(&mut self, replica: usize) -> Option<usize> {
        let Some(couriers) = self.couriers.as_mut() else { return Some(0) };
        // It went with its process, should that have been restarted: what it had at hand may be old by now.
        if !Arc::ptr_eq(&couriers.0[replica].0, self.notification.pipeline(replica).machine()) {
            couriers.0[replica] = courier(&self.notification, &self.mailer, replica);
        }
        let faults = self.faults.counts().faults_in_all();
        let tried = poll(&self.faults, couriers.0[replica].1.step());
        self.notification.store.stand_down();
        if tried.is_none() {
            self.notification.restart(replica);
        }
        self.mailer.end_step(self.faults.counts().faults_in_all() == faults);
        self.note(format_args!(
            "courier {replica}: {:?} mails tried",
            tried.as_ref().map(|t| t.as_ref().ok())
        ));
        tried.and_then(Result::ok)
    }
}
