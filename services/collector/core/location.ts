import type { CityResponse } from 'maxmind';

/** Where an address is, as far as a file in MaxMind's format knows; English names, as Segment's `context.location` has them. */
export interface Location {
  readonly country?: string;
  /** ISO 3166-1, two letters. */
  readonly countryCode?: string;
  readonly region?: string;
  readonly city?: string;
  /** IANA, such as `Europe/Berlin`. */
  readonly timezone?: string;
}

export type LocationOf = (address: string) => Location | undefined;

/**
 * Without the point on the map that such files have: it is the middle of an area, and is taken for somebody's door.
 * @param found what the file says of an address; files of countries have less
 */
export function locationIn(found: Partial<CityResponse> | null): Location | undefined {
  const country = found?.country ?? found?.registered_country;
  const region = found?.subdivisions?.[0]?.names?.en;
  const city = found?.city?.names?.en;
  const timezone = found?.location?.time_zone;
  const location = {
    ...(country?.names?.en && { country: country.names.en }),
    ...(country?.iso_code && { countryCode: country.iso_code }),
    ...(region && { region }),
    ...(city && { city }),
    ...(timezone && { timezone }),
  };
  return Object.keys(location).length > 0 ? location : undefined;
}
