import { type CountryCode, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import QuickLRU from 'quick-lru';

/** Reads a clean text as a phone number. @returns E.164, such as `+493012345678`; undefined where it is no valid number */
export type ReadPhoneNumber = (text: string) => string | undefined;

/** So many numbers are remembered: to read one takes as long as half an event. */
const REMEMBERED = 20_000;
/** Digits, and what people put between them; a letter begins an extension, behind which there are several people. */
const shape = /^(?:tel:)?[\p{Nd}\p{Pd}\s+()./]{4,40}$/iu;
const beforePlus = /^(?:tel:)?\s*\(?(?=\+)|^tel:/i;

/** @param country where numbers without a country code are from, ISO 3166; undefined: such numbers are none */
export function phoneNumbersOf(country: string | undefined): ReadPhoneNumber {
  const known = new QuickLRU<string, string>({ maxSize: REMEMBERED });
  return (text) => {
    if (!shape.test(text) || (country === undefined && !text.includes('+'))) return undefined;
    let number = known.get(text);
    if (number === undefined) {
      number = readNumber(text, country) ?? '';
      known.set(text, number);
    }
    return number === '' ? undefined : number;
  };
}

function readNumber(text: string, country: string | undefined): string | undefined {
  const written = text.replace(beforePlus, '');
  const parsed = parsePhoneNumberFromString(written, {
    extract: false,
    ...(country !== undefined && { defaultCountry: country as CountryCode }),
  });
  return parsed?.isValid() ? parsed.number : undefined;
}

/** Whether an E.164 number is what a clean text says, where numbers without a country code are from the number's own country. */
export function isPhoneNumberOf(number: string, text: string): boolean {
  const country = parsePhoneNumberFromString(number, { extract: false })?.country;
  return readNumber(text, country) === number;
}
