//! The pages as people use them: a real browser on a whole catalog. It needs Chromium and its driver
//! (Debian: `chromium chromium-driver`), and npm for what is checked and tried with packages from there.

mod webdriver;
pub(crate) mod page;
mod driver;
mod npm;
mod goods;
mod shop;
mod console;
mod merchandise;
mod large;
mod instantsearch;
mod everyone;
