//! Work that nobody waits for gives way to work that somebody waits for.

/// A nice value with which a thread gets about a tenth of the share of one of the usual priority.
#[cfg(target_os = "linux")]
const BACKGROUND: i32 = 10;

/// Lowers the priority of the calling thread, and of the threads that it starts later, for good. It does
/// nothing but on Linux: elsewhere a priority is that of the whole process.
pub fn work_in_background() {
    #[cfg(target_os = "linux")]
    if let Err(err) = rustix::process::setpriority_process(None, BACKGROUND) {
        tracing::debug!("cannot lower the priority of a thread: {err}");
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_the_calling_thread_gives_way() {
        let priority = || rustix::process::getpriority_process(None).expect("priority");
        let before = priority();
        let background = std::thread::spawn(move || {
            work_in_background();
            priority()
        });
        assert_eq!(background.join().expect("thread"), BACKGROUND.max(before));
        assert_eq!(priority(), before);
    }
}
