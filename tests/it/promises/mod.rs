//! Promises of the README, one file each, shown on the real binary.

mod awkward_data;
mod bytes_come_back;
mod constant_memory;
mod every_route;
mod hostile_input;
mod killed_at_each_step;
mod never_short;
mod nothing_is_lost;
mod nothing_is_overwritten;
mod one_read_a_frame;
mod scaled_out;
