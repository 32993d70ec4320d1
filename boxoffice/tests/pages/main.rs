//! Stories on the pages, as browsers without scripts play them: forms, cookies and redirections, in this process.

mod browser;
mod buying;
mod languages;
mod safety;
mod sessions;
