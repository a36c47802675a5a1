-- People alike are looked for by what is the same, nearest first in the other.
DROP INDEX person_sound;
DROP INDEX person_birth;
CREATE INDEX person_sound ON person (sound, birth_date);
CREATE INDEX person_birth ON person (birth_date, sound);
