#pragma once

namespace holdfast {

/// Initialises libsodium, once for the process; every user of libsodium calls it before its first
/// call there. Thread-safe and cheap. Ends the program if the system has no source of randomness,
/// since nothing could be encrypted then.
void ensure_sodium();

}  // namespace holdfast
