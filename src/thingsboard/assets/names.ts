/** The names of what a setup makes. It never touches anything of another name. */

export const PROFILE_NAME = 'Firstlight gateways';
export const FLEET_TITLE = 'Firstlight fleet';
export const GATEWAY_TITLE = 'Firstlight gateway';
/** In the description of the profile. */
export const MADE_BY = 'Made by "firstlight thingsboard setup".';
/** The server attribute of the profile with the record of the setup. */
export const RECORD_ATTRIBUTE = 'firstlightSetup';
