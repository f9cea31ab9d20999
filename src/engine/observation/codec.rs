//! Observations as bytes.

use super::{Event, Fate, Header, MAX_NAME, Observation, Refusal};
use crate::caller::{Before, Caller};
use crate::dialect::Dialect;
use crate::digest::conversation::Conversation;
use crate::digest::skeleton::{KEYS, Place, Skeleton};
use crate::digest::{BLOBS, Reading};
use crate::verdict::{Action, Verdict};
use crate::wire::{In, Out};

/// What stands for no dialect.
const NO_DIALECT: u8 = u8::MAX;

const REQUEST: u8 = 0;
const REFUSED: u8 = 1;
const GIVEN: u8 = 2;
/// A [`REQUEST`] that was refused here.
const REFUSED_HERE: u8 = 3;
/// One that was refused for load; [`REFUSED`] follows.
const REFUSED_FOR_LOAD: u8 = 4;

pub(super) fn write_header(out: &mut Out, header: &Header) {
    for value in [header.process, header.sender, header.sequence, header.rules, header.lost] {
        out.u64(value);
    }
    out.u32(header.age);
    let name = header.name.as_bytes();
    let name = name.get(..MAX_NAME).unwrap_or(name);
    out.count(name.len());
    out.0.extend_from_slice(name);
}

pub(super) fn read_header(input: &mut In<'_>) -> Result<Header, Refusal> {
    let mut read = || {
        let [process, sender, sequence, rules, lost] =
            [input.u64()?, input.u64()?, input.u64()?, input.u64()?, input.u64()?];
        let age = input.u32()?;
        Some(Header { process, sender, sequence, rules, lost, age, name: input.text()? })
    };
    let header = read().ok_or(Refusal::Damaged)?;
    if header.name.len() > MAX_NAME { Err(Refusal::TooMany("name")) } else { Ok(header) }
}

pub(super) fn write_request(out: &mut Out, caller: &Caller, reading: &Reading, verdict: &Verdict, fate: Fate) {
    out.u8(match fate {
        Fate::Answered => REQUEST,
        Fate::RefusedHere => REFUSED_HERE,
        Fate::RefusedForLoad => REFUSED_FOR_LOAD,
    });
    write_caller(out, caller);
    write_reading(out, reading);
    out.u8(verdict.would as u8);
    out.i32(verdict.score);
}

pub(super) fn write_refused(out: &mut Out, caller: &Caller, reading: &Reading) {
    out.u8(REFUSED);
    write_caller(out, caller);
    write_reading(out, reading);
}

pub(super) fn write_given(out: &mut Out, caller: &Caller, blobs: &[u64]) {
    out.u8(GIVEN);
    write_caller(out, caller);
    write_blobs(out, blobs);
}

pub(super) fn read(input: &mut In<'_>) -> Result<Observation, Refusal> {
    let after = input.i32().ok_or(Refusal::Damaged)?;
    let tag = input.u8().ok_or(Refusal::Damaged)?;
    let caller = read_caller(input).ok_or(Refusal::Damaged)?;
    let event = match tag {
        REQUEST | REFUSED_HERE | REFUSED_FOR_LOAD => {
            let fate = match tag {
                REFUSED_HERE => Fate::RefusedHere,
                REFUSED_FOR_LOAD => Fate::RefusedForLoad,
                _ => Fate::Answered,
            };
            let reading = read_reading(input)?;
            let mut end = || Some((Action::ALL.get(usize::from(input.u8()?)).copied()?, input.i32()?));
            let (would, score) = end().ok_or(Refusal::Damaged)?;
            Event::Request { caller, reading, would, score, fate }
        }
        REFUSED => Event::Refused { caller, reading: read_reading(input)? },
        GIVEN => Event::Given { caller, blobs: input.list(BLOBS, In::u64).ok_or(Refusal::TooMany("blobs"))? },
        _ => return Err(Refusal::Damaged),
    };
    Ok(Observation { after, event })
}

fn write_caller(out: &mut Out, caller: &Caller) {
    let digests = |of: &Caller| [of.account, of.organisation, of.network, of.agent];
    out.sparse([digests(caller), digests(&caller.earlier())].as_flattened());
}

fn read_caller(input: &mut In<'_>) -> Option<Caller> {
    let [account, organisation, network, agent, earlier @ ..] = input.sparse::<8>()?;
    let [old_account, old_organisation, old_network, old_agent] = earlier;
    let before =
        Before { account: old_account, organisation: old_organisation, network: old_network, agent: old_agent };
    Some(Caller { account, organisation, network, agent, before })
}

fn write_reading(out: &mut Out, reading: &Reading) {
    write_one(out, reading, reading.before.is_some());
    if let Some(before) = &reading.before {
        write_one(out, before, false);
    }
}

/// A reading under one key; `more`: the same under the previous key follows.
fn write_one(out: &mut Out, reading: &Reading, more: bool) {
    let of = &reading.conversation;
    out.u8(reading.dialect.map_or(NO_DIALECT, |dialect| dialect as u8));
    let flags = [reading.unread, reading.truncated, reading.corpus, more];
    out.u8(flags.into_iter().zip(0..).fold(0, |flags, (flag, at)| flags | u8::from(flag) << at));
    out.sparse(&[reading.model, reading.line, reading.settings, reading.content, reading.payload, of.whole, of.parent]);
    out.u32(of.bytes);
    out.u32(of.parent_bytes);
    out.u16(of.answers);
    out.i32(reading.wording);
    out.count(reading.skeleton.keys.len());
    for &(place, key) in &reading.skeleton.keys {
        out.u8(place as u8);
        out.u64(key);
    }
    write_blobs(out, &reading.blobs);
}

fn write_blobs(out: &mut Out, blobs: &[u64]) {
    out.count(blobs.len());
    blobs.iter().for_each(|&blob| out.u64(blob));
}

fn read_reading(input: &mut In<'_>) -> Result<Reading, Refusal> {
    let (mut reading, more) = read_one(input)?;
    if more {
        let (before, false) = read_one(input)? else { return Err(Refusal::Damaged) };
        reading.before = Some(Box::new(before));
    }
    Ok(reading)
}

fn read_one(input: &mut In<'_>) -> Result<(Reading, bool), Refusal> {
    let (mut reading, more) = read_small(input).ok_or(Refusal::Damaged)?;
    let key = |input: &mut In<'_>| Some((Place::ALL.get(usize::from(input.u8()?)).copied()?, input.u64()?));
    reading.skeleton = Skeleton { keys: input.list(KEYS, key).ok_or(Refusal::TooMany("keys of a skeleton"))? };
    reading.blobs = input.list(BLOBS, In::u64).ok_or(Refusal::TooMany("blobs"))?;
    Ok((reading, more))
}

/// What has one size, and whether the same follows under the previous key.
fn read_small(input: &mut In<'_>) -> Option<(Reading, bool)> {
    let dialect = match input.u8()? {
        NO_DIALECT => None,
        number => Some(Dialect::ALL.get(usize::from(number)).copied()?),
    };
    let flags = input.u8()?;
    let [model, line, settings, content, payload, whole, parent] = input.sparse()?;
    let (bytes, parent_bytes, answers) = (input.u32()?, input.u32()?, input.u16()?);
    let reading = Reading {
        dialect,
        unread: flags & 1 != 0,
        truncated: flags & 2 != 0,
        corpus: flags & 4 != 0,
        model,
        line,
        settings,
        content,
        payload,
        conversation: Conversation { whole, bytes, parent, answers, parent_bytes },
        wording: input.i32()?,
        ..Reading::default()
    };
    Some((reading, flags & 8 != 0))
}
