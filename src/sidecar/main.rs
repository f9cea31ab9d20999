//! The `azeotrope` program.

fn main() {}
