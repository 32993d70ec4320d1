//! What people do with their accounts: they register, sign in, change, stay signed in, and go.

use domain::{
    SessionId, UserId,
    facts::Gender,
    user::{Application, Edit, Email, NewPassword, PasswordHash, Patch, Role, SecretHash},
};
use kit::{
    Item, Request,
    pipeline::{Done, NotDone, Outcome},
};
use user::machine::{Command, Registration, Reply, SignIn};

use crate::{
    faults::{Fault, Marker},
    world::{World, uuid},
};

/// The most people of a world.
const MOST_PEOPLE: i64 = 14;
/// How often somebody has an account before anything else happens, in 10,000.
const REGISTERED_FROM_THE_START: u32 = 8_000;
/// The most tries to open an account while its store has faults.
const MOST_TRIES: usize = 100;

/// Somebody who has, had or will have an account.
#[derive(Debug, Clone)]
pub struct Person {
    /// Their id.
    pub id: UserId,
    /// Their address, which stays.
    pub email: String,
    /// Changes of the password, as far as they know.
    pub password_changes: u32,
    /// Sessions, each with every secret that was given for it, the last one last.
    pub sessions: Vec<(SessionId, Vec<SecretHash>)>,
}

impl World {
    /// Thinks of people; most open an account at once.
    pub(crate) fn open_accounts(&mut self) {
        for number in 0..self.rng.between(4, MOST_PEOPLE) {
            let id = UserId(uuid(&mut self.rng));
            let email = format!("person{number}@example.org");
            self.people.push(Person { id, email, password_changes: 0, sessions: Vec::new() });
            self.buyers.push(id);
            if self.rng.chance(REGISTERED_FROM_THE_START) {
                self.open_account(self.people.len() - 1);
            }
        }
    }

    fn open_account(&mut self, number: usize) {
        for _ in 0..MOST_TRIES {
            self.register(number);
            if self.watcher.witness().accounts.contains_key(&self.people[number].id) {
                return;
            }
        }
    }

    /// Somebody does something with an account.
    pub(crate) fn use_account(&mut self) {
        let number = self.rng.index(self.people.len());
        let is_open = self.watcher.witness().accounts.contains_key(&self.people[number].id);
        match self.rng.below(12) {
            _ if !is_open => self.register(number),
            0..=3 => self.edit_account(number),
            4..=5 => self.sign_in(number),
            6..=8 => self.refresh(number),
            9 => self.take_address(number),
            10 => self.sign_out(number),
            _ => self.erase(number),
        }
    }

    fn ask_user(&mut self, command: Command) -> Option<Outcome<Reply>> {
        let replica = usize::from(self.faults.has(Fault::Race) && self.rng.chance(3_000));
        let item = Item::Request(Request { command, idempotency: None, traceparent: None });
        let outcome = self.user.run(replica, std::slice::from_ref(&item)).and_then(|mut all| all.pop());
        let text = match &outcome {
            None => "no answer".to_owned(),
            Some(Ok(Done::Answered { reply, .. })) => format!("{reply:?}"),
            Some(Ok(Done::Delivered(_))) => "delivered".to_owned(),
            Some(Err(NotDone::Refused(refusal))) => refusal.code.to_owned(),
            Some(Err(_)) => "not done".to_owned(),
        };
        self.note(format_args!("user {replica}: {text}"));
        outcome
    }

    fn registration(&mut self, id: UserId, email: &str) -> Option<Command> {
        let application = Application {
            name: format!("Name {}", self.rng.below(1_000)),
            email: email.to_owned(),
            gender: self.rng.chance(5_000).then_some(Gender::Female),
            birth_year: self.rng.chance(5_000).then_some(1_990),
        };
        let email = Email::parse(email).ok()?;
        let password_hash = PasswordHash("hash 0".to_owned());
        let roles = vec![Role::User];
        let registration = Registration { id, application, email, password_hash, roles };
        Some(Command::Register(Box::new(registration)))
    }

    fn register(&mut self, number: usize) {
        let (id, email) = (self.people[number].id, self.people[number].email.clone());
        // Whoever was erased does not come back under the old id.
        if self.watcher.witness().erased.contains(&id) {
            return;
        }
        if let Some(command) = self.registration(id, &email) {
            self.ask_user(command);
        }
    }

    /// Somebody else wants an address that is taken, in another spelling.
    fn take_address(&mut self, number: usize) {
        let email = self.people[number].email.to_uppercase();
        let id = UserId(uuid(&mut self.rng));
        let Some(command) = self.registration(id, &email) else { return };
        let outcome = self.ask_user(command);
        if let Some(Err(NotDone::Refused(refusal))) = &outcome
            && refusal.code == "email_taken"
        {
            self.faults.mark(Marker::EmailTaken);
        }
        let is_given = matches!(outcome, Some(Ok(_)));
        self.watcher.witness().require(!is_given, "one account for an address", || email.clone());
    }

    fn edit_account(&mut self, number: usize) {
        let person = &self.people[number];
        let (id, checked) = (person.id, person.password_changes);
        let password = self
            .rng
            .chance(2_000)
            .then(|| NewPassword { checked, hash: PasswordHash(format!("hash {}", checked + 1)) });
        let is_new_password = password.is_some();
        let edit = Edit {
            name: self.rng.chance(7_000).then(|| format!("Name {}", self.rng.below(1_000))),
            gender: if self.rng.chance(2_000) { Patch::Set(Gender::Other) } else { Patch::Keep },
            birth_year: if self.rng.chance(1_000) { Patch::Clear } else { Patch::Keep },
            password,
        };
        self.ask_user(Command::Update(id, edit));
        if is_new_password {
            // Whether it was changed is seen at the next sign-in, as a person would see it.
            let changes = self.watcher.witness().accounts.get(&id).map(|account| account.password_changes);
            self.people[number].password_changes = changes.unwrap_or(checked);
        }
    }

    fn sign_in(&mut self, number: usize) {
        let (user_id, checked) = (self.people[number].id, self.people[number].password_changes);
        let is_right = !self.rng.chance(1_000);
        let session = SessionId(uuid(&mut self.rng));
        let secret = SecretHash(format!("{:032x}", self.rng.bits()));
        let checked = if is_right { checked } else { checked + 1 };
        let sign_in = SignIn { user_id, checked, rehashed: None, session, secret: secret.clone() };
        let outcome = self.ask_user(Command::SignIn(sign_in));
        let is_in = matches!(outcome, Some(Ok(_)));
        self.watcher.witness().require(is_right || !is_in, "only with the password", || user_id.to_string());
        if is_in {
            self.people[number].sessions.push((session, vec![secret]));
        }
    }

    /// Uses a refresh token: mostly the one that was given last, sometimes one that was spent.
    fn refresh(&mut self, number: usize) {
        if self.people[number].sessions.is_empty() {
            return self.sign_in(number);
        }
        let which = self.rng.index(self.people[number].sessions.len());
        let next = SecretHash(format!("{:032x}", self.rng.bits()));
        let is_spent = self.people[number].sessions[which].1.len() > 1 && self.rng.chance(2_000);
        let (session, secrets) = &self.people[number].sessions[which];
        let Some(presented) = secrets.get(secrets.len() - 1 - usize::from(is_spent)).cloned() else { return };
        let session = *session;
        let outcome = self.ask_user(Command::Refresh { session, presented, next: next.clone() });
        let Some(Ok(Done::Answered { reply, .. })) = outcome else {
            // Whether the token was spent is not known: a client signs in again.
            self.people[number].sessions.remove(which);
            return;
        };
        let is_renewed = matches!(reply, Reply::SignedIn { .. });
        if is_spent {
            self.faults.mark(Marker::TokenReused);
            self.watcher.witness().require(!is_renewed, "a token is spent once", || format!("{session:?}"));
            let is_over = !self.watcher.witness().sessions.contains_key(&session);
            self.watcher.witness().require(is_over, "a token is spent once", || {
                format!("{session:?} goes on after a spent token was used")
            });
        }
        if is_renewed {
            self.people[number].sessions[which].1.push(next);
        } else {
            self.people[number].sessions.remove(which);
        }
    }

    fn sign_out(&mut self, number: usize) {
        let Some((session, _)) = self.people[number].sessions.pop() else { return };
        let outcome = self.ask_user(Command::Logout(session));
        let is_there = self.watcher.witness().sessions.contains_key(&session);
        let is_out = matches!(outcome, Some(Ok(_)));
        self.watcher.witness().require(!is_out || !is_there, "signed out is out", || format!("{session:?}"));
    }

    /// Somebody goes, and somebody new comes in their place.
    fn erase(&mut self, number: usize) {
        // A world whose people all leave sells nothing.
        if !self.rng.chance(3_000) {
            return;
        }
        let id = self.people[number].id;
        self.ask_user(Command::Erase(id));
        if !self.watcher.witness().erased.contains(&id) {
            return;
        }
        self.faults.mark(Marker::Erased);
        self.people[number].sessions.clear();
        let fresh = UserId(uuid(&mut self.rng));
        let email = format!("person{}@example.org", self.people.len());
        self.people.push(Person { id: fresh, email, password_changes: 0, sessions: Vec::new() });
        if let Some(place) = self.buyers.iter_mut().find(|buyer| **buyer == id) {
            *place = fresh;
        }
    }

    /// Whoever waits for an account gets one, once nothing goes wrong any more.
    pub(crate) fn open_the_rest(&mut self) {
        for number in 0..self.people.len() {
            if !self.watcher.witness().accounts.contains_key(&self.people[number].id) {
                self.register(number);
            }
        }
    }
}
